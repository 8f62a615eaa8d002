# An application that fetches from a drop directory as such applications do: it looks again and again, takes each *.eml that it sees at
# once, and removes it. Prints a line of JSON for each: name, the lines x-sender and x-receiver, and the message, a
# megabyte of it in base64.
# Ends when the file `stop` is in the directory and nothing is left.
import base64, json, os, sys, time

directory = sys.argv[1]
while True:
    names = sorted(os.listdir(directory))
    taken = 0
    for name in names:
        if not name.lower().endswith('.eml') or name.startswith('.'):
            continue
        path = os.path.join(directory, name)
        with open(path, 'rb') as file:
            octets = file.read()
        os.unlink(path)
        taken += 1
        sender, receivers = None, []
        while True:
            line, separator, rest = octets.partition(b'\r\n')
            field, _, value = line.partition(b': ')
            if field.lower() == b'x-sender':
                sender = value.decode()
            elif field.lower() == b'x-receiver':
                receivers.append(value.decode())
            else:
                break
            octets = rest
        print(json.dumps({
            'name': name,
            'sender': sender,
            'receivers': receivers,
            'octets': len(octets),
            'message': base64.b64encode(octets[:1000000]).decode(),
        }), flush=True)
    if taken == 0:
        if 'stop' in names:
            break
        time.sleep(0.01)
