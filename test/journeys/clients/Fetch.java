// JavaMail by POP3 and IMAP, one job a line: see ../oldClients.ts. Run as it is: java -cp javax.mail.jar:... Fetch.java

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;
import javax.mail.FetchProfile;
import javax.mail.Flags;
import javax.mail.Folder;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.Store;
import javax.mail.UIDFolder;

public class Fetch {
  static int fetched;

  public static void main(String[] none) throws Exception {
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      fetched = 0;
      try {
        work(line.split("\t"));
        System.out.println("done " + fetched);
      } catch (Exception error) {
        System.out.println("failed " + fetched + " " + String.valueOf(error).replaceAll("\\s+", " "));
      }
    }
  }

  static void work(String[] job) throws Exception {
    String protocol = job[0];
    Path directory = Path.of(job[4]);
    boolean deletes = job[5].equals("delete");
    Path names = directory.resolve("seen");
    Set<String> seen = new HashSet<>(Files.exists(names) ? Files.readAllLines(names) : Set.of());
    Properties properties = new Properties();
    for (String each : new String[] {"connectiontimeout", "timeout"})
      properties.put("mail." + protocol + "." + each, "120000");
    Store store = Session.getInstance(properties).getStore(protocol);
    try {
      store.connect("127.0.0.1", Integer.parseInt(job[1]), job[2], job[3]);
      Folder inbox = store.getFolder("INBOX");
      inbox.open(Folder.READ_WRITE);
      Message[] messages = inbox.getMessages();
      FetchProfile profile = new FetchProfile();
      profile.add(UIDFolder.FetchProfileItem.UID);
      if (protocol.equals("imap")) profile.add(FetchProfile.Item.CONTENT_INFO);
      inbox.fetch(messages, profile);
      for (Message message : messages) {
        String name =
            inbox instanceof com.sun.mail.pop3.POP3Folder
                ? ((com.sun.mail.pop3.POP3Folder) inbox).getUID(message)
                : String.valueOf(((UIDFolder) inbox).getUID(message));
        if (!seen.contains(name)) {
          java.io.ByteArrayOutputStream octets = new java.io.ByteArrayOutputStream();
          message.writeTo(octets);
          Files.write(directory.resolve("messages").resolve(name), octets.toByteArray());
          Files.writeString(names, name + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
          fetched += 1;
        }
        if (deletes) message.setFlag(Flags.Flag.DELETED, true);
      }
      inbox.close(deletes);
    } finally {
      store.close();
    }
  }
}
