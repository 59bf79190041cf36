import type { ChatTemplate, Message } from './render.ts';

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
  /**
   * What the template does beyond them, if it does: then only the present turn is made of these
   * texts, and earlier ones stay as they were said.
   */
  beyond?: string;
}

/** Renders a conversation, the system prompt (if any) already in place. */
type Render = (conversation: Message[]) => string;

interface Trial {
  questions: string[];
  answers: string[];
  /** What to say of a template that fails it. */
  fault?: string;
}

/** What a template must not depend on: two sets of words, to tell its own text from ours. */
const trials: Trial[] = [
  { questions: ['Quebec1', 'Romeo2', 'Sierra3'], answers: ['Alfa4', 'Bravo5'] },
  { questions: ['x', 'Why is the sky blue?', '7 + 4'], answers: ['Because.', 'eleven'] },
];

/** Answers of a model that thinks, which many templates write anew. */
const thoughts: Trial = {
  questions: ['x', 'y', 'z'],
  answers: ['<think>\nWell.\n</think>\n\nSo.', 'Well.\n</think>\n\nSo.'],
  fault: 'it changes the thoughts of earlier answers',
};

/** Longer texts in quotes are what a template says, not what it looks for. */
const LONGEST_MARK = 40;

/**
 * Finds the fixed texts by rendering conversations of one to three turns with words of ours, and
 * checks that the texts give the same again. Throws, saying why, where not even the present turn is
 * made of such texts.
 */
export function reduceTemplate(template: ChatTemplate, system?: string): Segments {
  const opening: Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const render: Render = (conversation) => template.render([...opening, ...conversation]);
  const [{ questions, answers }] = trials;
  const [first, answer] = cut(render(converse(questions.slice(0, 1), [])), questions[0]);
  const second = cut(render(converse(questions.slice(0, 2), answers)), questions[1])[0];
  const [head, next] = cut(second, answers[0]);
  const trim = findTrim(render, first, answer);
  const segments = { first, answer, next, trim };
  for (const trial of trials) verifyPresent(trial, segments, render);
  const history = head.slice(first.length + questions[0].length);
  try {
    if (!head.startsWith(first + questions[0]) || !isAnswerHead(history, answer)) {
      throw new Error('it writes an earlier turn differently from the present one');
    }
    const more = [thoughts, ...trialsWith(marksOf(template))];
    for (const trial of [...trials, ...more]) verify(trial, segments, history, render);
    return segments;
  } catch (error) {
    return { ...segments, beyond: (error as Error).message };
  }
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

/** Whether the fixed texts give the first turn, and the last one of more. */
function verifyPresent(
  { questions, answers }: Trial,
  { first, answer, next }: Segments,
  render: Render,
): void {
  for (let turns = 1; turns <= questions.length; turns++) {
    const text = render(converse(questions.slice(0, turns), answers));
    const last = questions[turns - 1] + answer;
    const isMade =
      turns === 1
        ? text === first + last
        : text.startsWith(first + questions[0]) && text.endsWith(answers[turns - 2] + next + last);
    if (!isMade) throw new Error('its present turn is not made of fixed texts');
  }
}

/** Whether they give all of a conversation; of one with a fault's name, when it is whole. */
function verify(
  { questions, answers, fault }: Trial,
  { first, answer, next, trim }: Segments,
  history: string,
  render: Render,
): void {
  const said = (question: string) => (trim ? question.trim() : question);
  for (let turns = fault ? questions.length : 1; turns <= questions.length; turns++) {
    let expected = first + said(questions[0]);
    for (let i = 1; i < turns; i++) {
      expected += history + answers[i - 1] + next + said(questions[i]);
    }
    if (render(converse(questions.slice(0, turns), answers)) === expected + answer) continue;
    throw new Error(fault ?? `a conversation of ${turns} turns is not made of fixed texts`);
  }
}

/** What a template may look for in messages: `</think>`, `/no_think`. */
function marksOf(template: ChatTemplate): string[] {
  return template.literals
    .filter((text) => text.trim() !== '' && text.length <= LONGEST_MARK)
    .filter((text) => text === text.trim() && /[^\w ]/.test(text));
}

/** Conversations where such a mark stands in what is said: in its midst, at its start and end. */
function trialsWith(marks: string[]): Trial[] {
  return marks.flatMap((mark) => {
    const fault = `it looks for ${JSON.stringify(mark)} in what is said`;
    return [`a ${mark} b`, `${mark} b`, `a ${mark}`].flatMap((said) => [
      { questions: ['x', 'y', 'z'], answers: [said, 'because'], fault },
      { questions: [said, 'y'], answers: ['because'], fault },
    ]);
  });
}
