/** A stack's engine is chosen by name. */
import { expect, test } from 'vitest';
import { ENGINE_NAMES, engineNamed } from '../../src/stacks/engine.ts';
import { buildStack, STACK_NAMES } from '../../src/stacks/index.ts';

test('cpu, unless another is asked for', () => {
  expect(engineNamed()).toBe(engineNamed('cpu'));
  expect(engineNamed().tools).toContain('clang');
});

test.each(STACK_NAMES)('%s asks the engine that it is told to', async (stack) => {
  const request = { model: '/nonexistent/model.gguf', engine: 'abacus' as 'cpu' };
  await expect(buildStack(stack, request, '/nonexistent')).rejects.toThrow(
    `no engine is named abacus: there is ${ENGINE_NAMES.join(', ')}`,
  );
});
