/**
 * A process's arguments, as the kernel leaves them on the stack: argc, argv[0] … (System V ABI,
 * AMD64, figure 3.9).
 */

/** text: ended by a zero byte. */
export function isWord(text: Ptr<u8>, word: string): bool {
  const expected = utf8(word);
  for (let i: usize = 0; i < word.length; i++) {
    if (text[i] != expected[i]) return false;
  }
  return text[word.length] == 0;
}

/** Whether one of the arguments is this word; argv[0] is the program's name and does not count. */
export function hasWord(stack: Ptr<usize>, word: string): bool {
  for (let i: usize = 1; i < stack[0]; i++) {
    if (isWord(changetype<Ptr<u8>>(stack[i + 1]), word)) return true;
  }
  return false;
}
