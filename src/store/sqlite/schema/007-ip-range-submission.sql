-- Whether clients of an IP range may submit without a login. As with hMailServer the server's own machine may, unless somebody
-- has taken its trust away before: then loopback is a proxy's address there.
ALTER TABLE ip_range ADD COLUMN submission TEXT NOT NULL DEFAULT 'login' CHECK (submission IN ('login', 'trusted'));
UPDATE ip_range SET submission = 'trusted' WHERE name = 'My computer' AND is_trusted = 1;
