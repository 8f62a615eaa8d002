-- Mailboxes that are gone and whose entries are still to be deleted, in slices: nothing else waits for a hundred thousand of them.
-- Ids of mailboxes are never given twice, so nobody finds such entries meanwhile.
CREATE TABLE removed_mailbox (
  mailbox_id INTEGER PRIMARY KEY
) STRICT;
