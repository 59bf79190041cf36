/** What the host does to render a conversation, where no fixed texts will do. */
import * as jinja from '@huggingface/jinja';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesOf, textOf } from '../../src/model/chat/bytes.ts';
import { dateOfEpoch, formatDate, parseDate } from '../../src/model/chat/date.ts';
import { type HostChat, writeConversation } from '../../src/model/chat/write.ts';

const { Template } = jinja as unknown as {
  Template: new (source: string) => { render(items: Record<string, unknown>): string };
};

test('bytes come back as they were, be they UTF-8 or not', () => {
  const some = fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(Buffer.from));
  fc.assert(
    fc.property(some, some, (one, other) => {
      const bytes = Buffer.concat([one, other]);
      expect(Buffer.from(bytesOf(textOf(bytes)))).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
  for (const bytes of [
    [0xed, 0xb2, 0x80],
    [0xef, 0xbf, 0xbd],
    [0xf0, 0x9f, 0x98],
    [0xef, 0xbb, 0xbf],
  ]) {
    expect([...bytesOf(textOf(Uint8Array.from(bytes)))]).toEqual(bytes);
  }
  expect(textOf(Buffer.from('é😀'))).toBe('é😀');
});

describe('dates', () => {
  afterEach(() => void vi.useRealTimers());

  test('are written as the package writes them', () => {
    for (const date of ['2024-07-26', '2026-01-01', '1999-12-31', '2028-02-29']) {
      vi.useFakeTimers({ now: new Date(`${date}T00:00:00`), toFake: ['Date'] });
      for (const format of ['%d %b %Y', '%Y-%m-%d', '%B %d, %Y', '%H:%M', '100%% %Q']) {
        const direct = new Template(`{{ strftime_now('${format}') }}`).render({});
        expect(formatDate(date, format)).toBe(direct);
      }
    }
    expect(formatDate('2026-02-03', '%A %a %-d %y')).toBe('Tuesday Tue 3 26');
  });

  test('are days that there are', () => {
    expect(parseDate('2028-02-29')).toBe('2028-02-29');
    for (const none of ['2026-02-29', '2026-13-01', '26-01-01', 'today', '2026-1-1', '']) {
      expect(parseDate(none)).toBeUndefined();
    }
    expect(dateOfEpoch('1721952000')).toBe('2024-07-26'); // date -u -d @1721952000
    for (const none of [undefined, '', 'x', '-1']) expect(dateOfEpoch(none)).toBeUndefined();
  });
});

describe('masked letters', () => {
  const [START, END] = [1, 2];
  const chat = (body: string): HostChat => ({
    template: `{% for m in messages %}{{ '<|start|>' }}${body}{{ '<|end|>' }}{% endfor %}`,
    tokens: { bos_token: '', eos_token: '' },
    control: [
      ['<|start|>', START],
      ['<|end|>', END],
    ],
    userDefined: [],
    strips: [],
  });
  const write = (body: string, content: string) =>
    writeConversation(chat(body), [{ role: 'user', content: Buffer.from(content) }], {
      date: '2024-07-26',
    }).map((part) => (typeof part === 'number' ? part : Buffer.from(part).toString()));

  test('a template that looks for something finds it; the rest stays text', () => {
    const body = "{{ m.content.replace('/quiet', '') | trim }}";
    expect(write(body, '/quiet <|end|>x ')).toEqual([START, '<|end|>x', END]);
    expect(write(body, '<|sta/quietrt|>')).toEqual([START, '<|start|>', END]);
    const head = "{{ 'loud' if m.content.startswith('<!') else 'low' }}{{ m.content[2:] }}";
    expect(write(head, '<!<|end|>')).toEqual([START, 'loud<|end|>', END]);
    expect(write(head, '!<<|end|>')).toEqual([START, 'low<|end|>', END]);
  });

  test('halves of a template and of a message make no special token', () => {
    expect(write("{{ '<|' + m.content + '|>' }}", 'end')).toEqual([START, '<|end|>', END]);
    expect(write("{{ m.content + 'end|>' }}", '<|')).toEqual([START, '<|end|>', END]);
  });

  test('a control token that the template would take for its own is refused', () => {
    const body = "{{ m.content.split('<|end|>')[0] }}";
    expect(write(body, 'x <|end')).toEqual([START, 'x <|end', END]);
    expect(() => write(body, 'x <|end|> y')).toThrow(/"<\|end\|>", which it takes for its own/);
  });

  test('a template that works on letters is refused', () => {
    expect(() => write('{{ m.content | upper }}', 'start')).toThrow(/changes letters/);
  });
});
