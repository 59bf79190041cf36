/**
 * What of a text may reach a terminal: texts out of model files are written by people whom nobody
 * has vouched for.
 */

/** Line ends and TABs, the only control characters that do no more than lay out text. */
const LAYOUT = '\n\t';
/** Pictures of the control characters 00 to 1f (U+2400 …), and of 7f. */
const PICTURES = 0x2400;
const DELETE = '\x7f';
const DELETE_PICTURE = '\u2421';
const REPLACEMENT = '\ufffd';

/**
 * The text with a picture in place of each control character that would drive a terminal: ␛ for
 * ESC.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    if (LAYOUT.includes(character)) return character;
    if (character === DELETE) return DELETE_PICTURE;
    return character < ' ' ? String.fromCharCode(PICTURES + character.charCodeAt(0)) : REPLACEMENT;
  });
}

/** The longest name that is shown whole, in characters. */
const LONGEST_NAME = 100;

/**
 * A name for one line among others: printable, spaces for line ends, and without the marks that
 * turn the direction of writing, which would make the words after it look like others. A long one
 * is cut, and ends in … then.
 */
export function oneLine(text: string): string {
  const line = printable(text.replace(/[\n\t\u2028\u2029]+/g, ' '));
  const characters = [...line.replace(/[\u202a-\u202e\u2066-\u2069]/g, REPLACEMENT)];
  if (characters.length <= LONGEST_NAME) return characters.join('');
  return `${characters.slice(0, LONGEST_NAME - 1).join('')}…`;
}
