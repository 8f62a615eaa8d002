# Ruby's Net::POP3 and Net::IMAP (which sends a command in pieces), one job a line: see ../oldClients.ts.
require 'net/pop'
require 'net/imap'

def keep(directory, name, message, fetched)
  File.binwrite("#{directory}/messages/#{name}", message)
  File.write("#{directory}/seen", "#{name}\n", mode: 'a')
  fetched << name
end

def pop3(port, user, password, directory, mode, seen, fetched)
  session = Net::POP3.new('127.0.0.1', port)
  session.open_timeout = session.read_timeout = 120
  session.start(user, password)
  # One that was cut off must not say QUIT, which would have to be answered.
  session.mails.each do |mail|
    name = mail.unique_id
    keep(directory, name, mail.pop, fetched) unless seen.include?(name)
    mail.delete if mode == 'delete'
  end
  session.finish
end

# As Redmine does it (lib/redmine/imap.rb), by UID.
def imap(port, user, password, directory, mode, seen, fetched)
  session = Net::IMAP.new('127.0.0.1', port: port, open_timeout: 120)
  session.login(user, password)
  session.select('INBOX')
  session.uid_search(%w[NOT DELETED]).each do |uid|
    keep(directory, uid, session.uid_fetch(uid, 'RFC822')[0].attr['RFC822'], fetched) unless seen.include?(uid.to_s)
    session.uid_store(uid, '+FLAGS', mode == 'delete' ? [:Seen, :Deleted] : [:Seen])
  end
  session.expunge
  session.logout
  session.disconnect
end

$stdout.sync = true
$stdin.each_line(chomp: true) do |line|
  protocol, port, user, password, directory, mode = line.split("\t")
  seen = File.exist?("#{directory}/seen") ? File.readlines("#{directory}/seen", chomp: true) : []
  fetched = []
  begin
    send(protocol, port.to_i, user, password, directory, mode, seen, fetched)
    puts "done #{fetched.size}"
  rescue StandardError => e
    puts "failed #{fetched.size} #{e.class}: #{e.message.lines.first}"
  end
end
