/**
 * The variables by which templates are told whether the model shall think before it answers. A
 * value `undefined` leaves the variable out: the template's own choice.
 */
const SWITCHES: { name: string; on: unknown; off: unknown }[] = [
  { name: 'enable_thinking', on: true, off: false }, // Qwen, GLM, SmolLM3, Nemotron, Gemma 4 …
  { name: 'thinking', on: true, off: false }, // DeepSeek, Granite 3.3, Kimi K3
  { name: 'reasoning', on: true, off: false }, // Command A
  { name: 'thinking_mode', on: 'enabled', off: 'disabled' }, // MiniMax M3
  { name: 'thinking_budget', on: undefined, off: 0 }, // Seed-OSS, in tokens
];

/** Words of `reasoning_effort` that stand for no thinking; a template knows at most one. */
const NO_EFFORT = ['no_think', 'none', 'minimal']; // Hunyuan 3, Command A, Solar

export function thinkingVariables(source: string, thinking?: boolean): Record<string, unknown> {
  if (thinking === undefined) return {};
  const set = SWITCHES.map(({ name, on, off }) => [name, thinking ? on : off]);
  const isQuoted = (word: string) => source.includes(`'${word}'`) || source.includes(`"${word}"`);
  const none = NO_EFFORT.find(isQuoted);
  if (none !== undefined) set.push(['reasoning_effort', thinking ? 'high' : none]);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined));
}
