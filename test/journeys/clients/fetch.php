<?php
// PHP's imap_* (the c-client library) by POP3 and IMAP, one job a line: see ../oldClients.ts.
// c-client's own numbers for time-outs: 1 opening, 2 reading. It repeats a login three times unless told not to.
imap_timeout(1, 120);
imap_timeout(2, 120);

function work(array $job, int &$fetched): void
{
    [$protocol, $port, $user, $password, $directory, $mode] = $job;
    $seen = file_exists("$directory/seen") ? file("$directory/seen", FILE_IGNORE_NEW_LINES) : [];
    $box = @imap_open("{127.0.0.1:$port/$protocol/notls}INBOX", $user, $password, 0, 1);
    if ($box === false) throw new Exception(imap_last_error() ?: 'not opened');
    // It warns of every server that offers a password mechanism in the clear.
    imap_errors();
    $count = imap_num_msg($box);
    for ($number = 1; $number <= $count; $number++) {
        // What is gone with the connection comes back empty or short. By POP3 imap_uid is the number
        // alone: programs know a message again by its header.
        $header = imap_fetchheader($box, $number);
        $name = md5($header);
        if (!in_array($name, $seen, true)) {
            // Before the body is asked for: what came of a message that was broken off becomes its size.
            $told = imap_fetch_overview($box, (string) $number)[0]->size ?? -1;
            $body = imap_body($box, $number);
            if (strlen($header . $body) !== $told) {
                if (!imap_ping($box)) throw new Exception("cut off at $number");
                // A NUL ended it for c-client or PHP: this one cannot be had.
                continue;
            }
            file_put_contents("$directory/messages/$name", $header . $body);
            file_put_contents("$directory/seen", "$name\n", FILE_APPEND);
            $fetched++;
        }
        if ($mode === 'delete') imap_delete($box, (string) $number);
    }
    // Among them words about odd MIME.
    imap_errors();
    if (!imap_close($box, $mode === 'delete' ? CL_EXPUNGE : 0) || imap_errors() !== false) throw new Exception('cut off at the end');
}

while (($line = fgets(STDIN)) !== false) {
    $fetched = 0;
    try {
        imap_errors();
        imap_alerts();
        work(explode("\t", rtrim($line, "\n")), $fetched);
        echo "done $fetched\n";
    } catch (Exception $error) {
        imap_errors();
        echo "failed $fetched {$error->getMessage()}\n";
    }
}
