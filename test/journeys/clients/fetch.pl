# Perl's Net::POP3, one job a line: see ../oldClients.ts for what a job and an answer are.
use strict;
use warnings;
use Net::POP3;

sub work {
    my ($fetched, $protocol, $port, $user, $password, $directory, $mode) = @_;
    my %seen;
    if (open my $names, '<', "$directory/seen") { chomp, $seen{$_} = 1 for <$names> }
    my $session = Net::POP3->new('127.0.0.1', Port => $port, Timeout => 20) or die "no greeting\n";
    # login answers the count of messages, 0E0 where there are none.
    defined $session->login($user, $password) or die "no login\n";
    my $sizes = $session->list or die "no LIST\n";
    my $ids = $session->uidl or die "no UIDL\n";
    for my $number (sort { $a <=> $b } keys %$ids) {
        my $id = $ids->{$number};
        if (!$seen{$id}) {
            $session->top($number, 0) or die "no TOP\n";
            my $lines = $session->get($number) or die "no RETR\n";
            open my $file, '>:raw', "$directory/messages/$id" or die $!;
            print $file @$lines;
            close $file;
            open my $names, '>>', "$directory/seen" or die $!;
            print $names "$id\n";
            $$fetched += 1;
        }
        if ($mode eq 'delete') { $session->delete($number) or die "no DELE\n" }
    }
    $session->quit or die "no QUIT\n";
}

$| = 1;
$SIG{PIPE} = 'IGNORE';
while (my $line = <STDIN>) {
    chomp $line;
    my $fetched = 0;
    if (eval { work(\$fetched, split /\t/, $line); 1 }) { print "done $fetched\n" }
    else { print "failed $fetched $@" }
}
