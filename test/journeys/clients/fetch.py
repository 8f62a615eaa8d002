# Python's poplib, one job a line: see ../oldClients.ts for what a job and an answer are.
# poplib gives up at lines of more than 2048 octets, though RFC 1939 has no such limit for what a message holds.
import os
import poplib
import sys

poplib._MAXLINE = 1 << 20


def work(job, fetched):
    protocol, port, user, password, directory, mode = job
    names = os.path.join(directory, 'seen')
    seen = set(open(names).read().split()) if os.path.exists(names) else set()
    session = poplib.POP3('127.0.0.1', int(port), timeout=120)
    session.user(user)
    session.pass_(password)
    for row in session.uidl()[1]:
        number, name = row.decode().split()
        if name not in seen:
            status, lines, size = session.retr(int(number))
            message = b''.join(line + b'\r\n' for line in lines)
            assert int(session.list(number).split()[2]) == len(message), number
            with open(os.path.join(directory, 'messages', name), 'wb') as file:
                file.write(message)
            with open(names, 'a') as file:
                file.write(name + '\n')
            fetched.append(name)
        if mode == 'delete':
            session.dele(int(number))
    session.quit()


for line in sys.stdin:
    fetched = []
    try:
        work(line.rstrip('\n').split('\t'), fetched)
        print('done', len(fetched))
    except (OSError, EOFError, poplib.error_proto) as error:
        print('failed', len(fetched), repr(error))
