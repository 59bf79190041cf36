import { type Message, renderChat } from './render.ts';

/** A template as fixed texts around what people and the model say. */
export interface Segments {
  /** Before the first question: start, system prompt, the turn's head. */
  first: string;
  /** Between a question and its answer. */
  answer: string;
  /** Between an answer and the next question: it begins with the end of the answer's turn. */
  next: string;
  /** The template strips questions of white space at their ends. */
  trim: boolean;
}

/** Renders a conversation, the system prompt (if any) already in place. */
type Render = (conversation: Message[]) => string;

/** What a template must not depend on: two sets of words, to tell its own text from ours. */
const trials = [
  { questions: ['Quebec1', 'Romeo2', 'Sierra3'], answers: ['Alfa4', 'Bravo5'] },
  { questions: ['x', 'Why is the sky blue?', '7 + 4'], answers: ['Because.', 'eleven'] },
];

/**
 * Finds the fixed texts by rendering conversations of one to three turns with words of ours, and
 * checks that the texts give the same again. Throws, saying why, where a template is not of this
 * kind.
 */
export function reduceTemplate(
  template: string,
  variables: { bos_token: string; eos_token: string },
  system?: string,
): Segments {
  const opening: Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const render: Render = (conversation) =>
    renderChat(template, [...opening, ...conversation], variables);
  const [{ questions, answers }] = trials;
  const [first, answer] = cut(render(converse(questions.slice(0, 1), [])), questions[0]);
  const second = cut(render(converse(questions.slice(0, 2), answers)), questions[1])[0];
  const [head, next] = cut(second, answers[0]);
  const history = head.slice(first.length + questions[0].length);
  if (!head.startsWith(first + questions[0]) || !isAnswerHead(history, answer)) {
    throw new Error('it writes an earlier turn differently from the present one');
  }
  if (system !== undefined && !first.includes(system.trim())) {
    throw new Error('it leaves the system prompt out');
  }
  const trim = findTrim(render, first, answer);
  for (const trial of trials) verify(trial, { first, answer, next, trim }, history, render);
  return { first, answer, next, trim };
}

/** The questions in turn, an answer after each but the last. */
function converse(questions: string[], answers: string[]): Message[] {
  return questions.flatMap((question, i) => {
    const turn: Message[] = [{ role: 'user', content: question }];
    if (i + 1 < questions.length) turn.push({ role: 'assistant', content: answers[i] });
    return turn;
  });
}

/** What stands before and after a word that occurs once. */
function cut(text: string, word: string): [string, string] {
  const parts = text.split(word);
  if (parts.length !== 2)
    throw new Error(`it writes a message ${parts.length - 1} times, not once`);
  return [parts[0], parts[1]];
}

/**
 * Before earlier answers some templates have a line break more, which the model writes by itself.
 */
function isAnswerHead(history: string, answer: string): boolean {
  return history.startsWith(answer) && history.slice(answer.length).trim() === '';
}

function findTrim(render: Render, first: string, answer: string): boolean {
  const question = ' \n question \n ';
  const text = render(converse([question], []));
  if (text === first + question + answer) return false;
  if (text === first + question.trim() + answer) return true;
  throw new Error('it changes what the user says');
}

function verify(
  { questions, answers }: (typeof trials)[number],
  { first, answer, next }: Segments,
  history: string,
  render: Render,
): void {
  for (let turns = 1; turns <= questions.length; turns++) {
    let expected = first + questions[0];
    for (let i = 1; i < turns; i++) expected += history + answers[i - 1] + next + questions[i];
    if (render(converse(questions.slice(0, turns), answers)) !== expected + answer) {
      throw new Error(`a conversation of ${turns} turns is not made of fixed texts`);
    }
  }
}
