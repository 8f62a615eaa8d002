/**
 * Reports in German. A topic that is new in statusTopic.ts needs its sentences here: the compiler says so.
 */

import type { StatusTopic } from '../statusTopic.ts';
import type { ReasonText, ReportTexts } from './reportTexts.ts';

const REASONS: Readonly<Record<StatusTopic, ReasonText>> = {
  '5.4.1': {
    why: 'Das Mailsystem des Empfängers kennt diese Adresse nicht oder nimmt für sie keine Nachrichten an.',
    advice: 'Prüfen Sie die Schreibweise der Adresse, und fragen Sie den Empfänger nach der richtigen.',
  },
  '5.1.10': {
    why: 'Diese Adresse gibt es nicht.',
    advice:
      'Prüfen Sie die Schreibweise. Wenn Ihr Mailprogramm die Adresse vorgeschlagen hat, löschen Sie den Vorschlag und schreiben Sie sie neu.',
  },
  '1.1': {
    why: 'Diese Adresse gibt es nicht.',
    advice:
      'Prüfen Sie die Schreibweise. Wenn Ihr Mailprogramm die Adresse vorgeschlagen hat, löschen Sie den Vorschlag und schreiben Sie sie neu.',
  },
  '1.2': {
    why: 'Den Teil der Adresse hinter dem @ gibt es nicht, oder er nimmt keine Nachrichten an.',
    advice: 'Prüfen Sie die Schreibweise der Adresse hinter dem @.',
  },
  '1.3': { why: 'Das ist keine gültige Adresse.', advice: 'Prüfen Sie die Schreibweise der Adresse.' },
  '1.6': {
    why: 'Der Empfänger ist umgezogen und hat keine neue Adresse hinterlassen.',
    advice: 'Fragen Sie den Empfänger nach der neuen Adresse.',
  },
  '1.8': {
    why: 'Das Mailsystem des Empfängers nimmt die Adresse des Absenders nicht an.',
    advice: 'Bitten Sie Ihren Administrator, die Absenderadresse und ihre Domain zu prüfen.',
  },
  '1': {
    why: 'Mit der Adresse des Empfängers oder des Absenders stimmt etwas nicht.',
    advice: 'Prüfen Sie beide Adressen.',
  },
  '2.1': {
    why: 'Das Postfach des Empfängers ist gesperrt.',
    advice: 'Erreichen Sie den Empfänger auf einem anderen Weg.',
  },
  '2.2': {
    why: 'Das Postfach des Empfängers ist voll.',
    advice:
      'Bitten Sie den Empfänger auf einem anderen Weg, Platz zu schaffen, und senden Sie die Nachricht dann noch einmal.',
  },
  '2.3': {
    why: 'Die Nachricht ist größer, als dieser Empfänger sie bekommen darf.',
    advice: 'Verkleinern Sie sie, etwa durch Weglassen der Anhänge, und senden Sie sie noch einmal.',
  },
  '2.4': {
    why: 'Der Empfänger ist ein Verteiler, und die Nachricht konnte nicht an seine Mitglieder weitergegeben werden.',
    advice: 'Sagen Sie es dem, der den Verteiler betreut.',
  },
  '2': {
    why: 'Das Postfach des Empfängers konnte die Nachricht nicht aufnehmen.',
    advice: 'Versuchen Sie es später noch einmal, oder erreichen Sie den Empfänger auf einem anderen Weg.',
  },
  '3.1': {
    why: 'Das Mailsystem des Empfängers hat keinen Platz mehr.',
    advice: 'Versuchen Sie es später noch einmal.',
  },
  '3.2': {
    why: 'Das Mailsystem des Empfängers nimmt zurzeit keine Nachrichten an.',
    advice: 'Versuchen Sie es später noch einmal.',
  },
  '3.4': {
    why: 'Die Nachricht ist zu groß.',
    advice: 'Verkleinern Sie sie, etwa durch Weglassen der Anhänge, und senden Sie sie noch einmal.',
  },
  '3': {
    why: 'Das Mailsystem des Empfängers ist gestört.',
    advice:
      'Versuchen Sie es später noch einmal. Wenn es wieder geschieht, sagen Sie es Ihrem Administrator.',
  },
  '4.1': {
    why: 'Das Mailsystem des Empfängers antwortet nicht.',
    advice:
      'Versuchen Sie es später noch einmal. Wenn es wieder geschieht, sagen Sie es Ihrem Administrator.',
  },
  '4.3': {
    why: 'Der Weg zum Mailsystem des Empfängers war nicht zu ermitteln.',
    advice: 'Prüfen Sie den Teil der Adresse hinter dem @, und versuchen Sie es später noch einmal.',
  },
  '4.5': {
    why: 'Das Mailsystem des Empfängers ist überlastet.',
    advice: 'Versuchen Sie es später noch einmal.',
  },
  '4.6': {
    why: 'Die Nachricht wurde im Kreis geschickt und daher angehalten.',
    advice: 'Sagen Sie es Ihrem Administrator: Zwei Mailsysteme oder zwei Weiterleitungen führen zueinander.',
  },
  '4.7': {
    why: 'Die Nachricht konnte in der Zeit, die dafür vorgesehen ist, nicht zugestellt werden.',
    advice:
      'Senden Sie sie noch einmal, oder erreichen Sie den Empfänger auf einem anderen Weg. Wenn es wieder geschieht, sagen Sie es Ihrem Administrator.',
  },
  '4.14': {
    why: 'Die Nachricht wurde im Kreis geschickt und daher angehalten.',
    advice: 'Sagen Sie es Ihrem Administrator: Zwei Mailsysteme oder zwei Weiterleitungen führen zueinander.',
  },
  '4': {
    why: 'Die Nachricht konnte nicht zum Mailsystem des Empfängers gebracht werden.',
    advice:
      'Versuchen Sie es später noch einmal. Wenn es wieder geschieht, sagen Sie es Ihrem Administrator.',
  },
  '5.3': {
    why: 'Die Nachricht hat mehr Empfänger, als das nächste Mailsystem annimmt.',
    advice: 'Senden Sie sie mehrmals, jedes Mal an einen Teil der Empfänger.',
  },
  '5': {
    why: 'Die Mailsysteme haben einander nicht verstanden.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '6.7': {
    why: 'Das Mailsystem des Empfängers nimmt keine Adressen mit Sonderzeichen (wie ü oder é) an.',
    advice: 'Verwenden Sie eine Adresse ohne Sonderzeichen, auch als Absender.',
  },
  '6.9': {
    why: 'Das Mailsystem des Empfängers nimmt keine Adressen mit Sonderzeichen (wie ü oder é) an.',
    advice: 'Verwenden Sie eine Adresse ohne Sonderzeichen, auch als Absender.',
  },
  '6.11': {
    why: 'Das Programm, das die Nachricht geschrieben hat, beendet seine Zeilen auf unerlaubte Weise.',
    advice: 'Sagen Sie es dem, der dieses Programm betreut.',
  },
  '6': {
    why: 'Das Mailsystem des Empfängers kann einen solchen Inhalt nicht annehmen.',
    advice: 'Senden Sie ihn in anderer Form, etwa ohne Anhänge.',
  },
  '7.1': {
    why: 'Das Mailsystem des Empfängers hat diese Nachricht nicht erlaubt.',
    advice:
      'Vielleicht dürfen Sie diesem Empfänger nicht schreiben. Fragen Sie den Empfänger oder Ihren Administrator.',
  },
  '7.2': {
    why: 'Sie dürfen an diesen Verteiler nicht schreiben.',
    advice: 'Fragen Sie den, der den Verteiler betreut.',
  },
  '7.8': {
    why: 'Das nächste Mailsystem hat die Anmeldung unseres Mailservers nicht angenommen.',
    advice: 'Sagen Sie es Ihrem Administrator, und senden Sie die Nachricht danach noch einmal.',
  },
  '7.23': {
    why: 'Das Mailsystem des Empfängers meint, dass unser Mailserver für die Domain dieses Absenders nicht senden darf (SPF).',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.26': {
    why: 'Das Mailsystem des Empfängers konnte nicht feststellen, ob die Nachricht wirklich von ihrem Absender kommt (SPF, DKIM).',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.54': {
    why: 'Das nächste Mailsystem gibt für uns keine Nachrichten an diesen Empfänger weiter.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.57': {
    why: 'Das nächste Mailsystem verlangt, dass sich unser Mailserver anmeldet.',
    advice: 'Sagen Sie es Ihrem Administrator, und senden Sie die Nachricht danach noch einmal.',
  },
  '7.60': {
    why: 'Das Postfach, mit dem unser Mailserver sendet, darf nicht für diese Absenderadresse senden.',
    advice:
      'Verwenden Sie die Adresse, mit der Sie senden dürfen, oder bitten Sie Ihren Administrator um die Berechtigung.',
  },
  '7.64': {
    why: 'Exchange Online erkennt unseren Mailserver nicht als einen Ihrer Organisation.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.68': {
    why: 'Exchange Online nimmt Nachrichten Ihrer Organisation von unserem Mailserver nicht ohne Connector an.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.124': {
    why: 'Diese Gruppe nimmt nur Nachrichten bestimmter Absender an, und Sie gehören nicht dazu.',
    advice: 'Fragen Sie den, der die Gruppe betreut.',
  },
  '7.128': {
    why: 'Eine Regel der Organisation des Empfängers hat die Nachricht im Kreis geschickt.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.133': {
    why: 'Dieser Empfänger nimmt nur Nachrichten aus seiner eigenen Organisation an.',
    advice: 'Bitten Sie den Empfänger oder Ihren Administrator, Ihre Nachrichten zuzulassen.',
  },
  '7.509': {
    why: 'Die Domain des Absenders wünscht, dass Nachrichten abgelehnt werden, die nicht nachweislich von ihr kommen (DMARC).',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.520': {
    why: 'Die Nachrichten des Empfängers werden an eine andere Organisation weitergeleitet, was dort nicht erlaubt ist.',
    advice: 'Erreichen Sie den Empfänger auf einem anderen Weg, und sagen Sie es ihm.',
  },
  '7.606': {
    why: 'Das Mailsystem des Empfängers nimmt von der Netzadresse unseres Mailservers nichts an.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.705': {
    why: 'Ihre Organisation hat mehr gesendet, als Exchange Online erlaubt.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7.708': {
    why: 'Exchange Online nimmt von unserem Mailserver zurzeit keine Nachrichten an.',
    advice: 'Sagen Sie es Ihrem Administrator.',
  },
  '7': {
    why: 'Eine Regel im Mailsystem des Empfängers hat die Nachricht abgelehnt.',
    advice: 'Fragen Sie den Empfänger oder Ihren Administrator.',
  },
  '': {
    why: 'Das Mailsystem des Empfängers hat die Nachricht abgelehnt.',
    advice:
      'Seine Antwort steht unten. Wenn sie Ihnen nicht hilft, zeigen Sie diesen Bericht Ihrem Administrator.',
  },
};

/** German. */
export const GERMAN: ReportTexts = {
  tag: 'de',
  subjects: {
    failed: 'Unzustellbar',
    delayed: 'Verzögert',
    delivered: 'Zugestellt',
    relayed: 'Weitergegeben',
    expanded: 'Zugestellt',
  },
  message: { own: 'Ihre Nachricht', other: 'Die Nachricht' },
  headlines: {
    failed: (message) => `${message} konnte nicht zugestellt werden an:`,
    delayed: (message) => `${message} wurde noch nicht zugestellt an:`,
    delivered: (message) => `${message} wurde zugestellt an:`,
    relayed: (message) => `${message} wurde übergeben an das Mailsystem von:`,
    expanded: (message) => `${message} wurde an mehrere Adressen weitergegeben für:`,
  },
  closings: {
    failed: undefined,
    delayed:
      'Sie brauchen nichts zu tun: Die Zustellung wird weiter versucht, und Sie hören davon, wenn sie nicht gelingt.',
    delivered: undefined,
    relayed:
      'Dieses System sagt nicht, ob es die Nachricht zustellt; Sie hören nur dann mehr davon, wenn es nicht gelingt.',
    expanded: undefined,
  },
  forwarded: (address) =>
    `Sie erfahren das, weil ${address} Nachrichten an diesen Empfänger weiterleitet. Dem Absender der Nachricht wurde nichts gesagt.`,
  postmaster: (sender) =>
    `Dieser Bericht ist für den Postmaster. Die Nachricht wurde gesendet von ${sender}.`,
  nobody: 'einem Mailserver (ein Bericht oder eine automatische Antwort)',
  moreRecipients: (count) => `… und ${count} weitere, die im angehängten Status stehen.`,
  triedUntil: (date) => `Aufgegeben wird am ${date}.`,
  subjectLine: (subject) => `Betreff der Nachricht: ${subject}`,
  reasons: REASONS,
};
