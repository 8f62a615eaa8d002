/**
 * xtext: printable ASCII inside the value of a parameter, with `+` and two digits for what may not stand there.
 *
 * RFC 3461 section 4: xtext, xchar, hexchar (upper-case digits only). Used by DSN's parameters and by AUTH of MAIL.
 */

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;

/** What `text` stands for, each octet a character; undefined where it is no xtext. */
export function decodeXtext(text: string): string | undefined {
  if (!XTEXT.test(text)) return undefined;
  return text.replace(/\+([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** `text`, each character an octet, as xtext. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/g, (character) => {
    const digits = (character.charCodeAt(0) & 0xff).toString(16).toUpperCase();
    return `+${digits.padStart(2, '0')}`;
  });
}
