/** Whether a template does what people ask of it, seen from what it makes of a conversation. */
import type { ChatTemplate, Message } from './render.ts';

const QUESTION: Message = { role: 'user', content: 'Why?' };
const ANSWER: Message = { role: 'assistant', content: 'Because.' };
const OTHER_DATE = '1999-12-31';

function conversationsOf(system?: string): Message[][] {
  const opening: Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  return [
    [...opening, QUESTION],
    [...opening, QUESTION, ANSWER, QUESTION],
  ];
}

/** Throws where a system prompt, or the choice to think or not to, would change nothing. */
export function checkChoices(template: ChatTemplate, system?: string): void {
  const { thinking } = template.choices;
  const made = conversationsOf(system).map((messages) => template.render(messages));
  const isChanged = (other: ChatTemplate, its?: string) =>
    conversationsOf(its).some((messages, i) => other.render(messages) !== made[i]);
  if (system !== undefined && system !== '' && !isChanged(template)) {
    throw new Error('it leaves the system prompt out');
  }
  if (thinking !== undefined && !isChanged(template.with({ thinking: !thinking }), system)) {
    throw new Error('it has no switch for thinking');
  }
}

/** Whether the date is part of what it writes. */
export function usesDate(template: ChatTemplate, system?: string): boolean {
  const other = template.with({ date: OTHER_DATE });
  return conversationsOf(system).some((said) => template.render(said) !== other.render(said));
}
