/** Each way to a guest keeps the same promises. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { processTransport, serialTransport } from '../../src/console/transport.ts';

const ways = { process: processTransport, serial: serialTransport };

describe.each(Object.entries(ways))('%s', (name, connect) => {
  const run = (script: string) => {
    const child = spawn('sh', ['-c', script], { stdio: 'pipe' });
    return { child, transport: connect(child) };
  };

  test('bytes there and back, until the last ones', async () => {
    const { child, transport } = run('cat');
    const pieces: Uint8Array[] = [];
    transport.onBytes((bytes) => pieces.push(bytes));
    transport.write(Uint8Array.of(0, 1, 0x80));
    transport.end(Uint8Array.of(0xff));
    expect(await transport.ended).toEqual({ code: 0, signal: null });
    expect([...Buffer.concat(pieces)]).toEqual([0, 1, 0x80, 0xff]);
    expect(transport.pid).toBe(name === 'process' ? child.pid : undefined);
    transport.write(Uint8Array.of(1)); // lost, and no error
  });

  test('who listens no more hears no more', async () => {
    const { transport } = run('echo one; read line; echo two');
    let heard = '';
    await new Promise<void>((resolve) => {
      const stop = transport.onBytes((bytes) => {
        heard += Buffer.from(bytes).toString();
        stop();
        resolve();
      });
    });
    transport.end(Buffer.from('\n'));
    await transport.ended;
    expect(heard).toBe('one\n');
  });

  test('remarks, exit code, signal', async () => {
    const { transport } = run('echo beside >&2; exit 3');
    let remarks = '';
    transport.onRemark((bytes) => {
      remarks += Buffer.from(bytes).toString();
    });
    expect(await transport.ended).toEqual({ code: 3, signal: null });
    expect(remarks).toBe('beside\n');
    const { transport: endless } = run('exec sleep 1000');
    endless.kill();
    expect(await endless.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('what does not start says why', async () => {
    const transport = connect(spawn('/nonexistent/guest', { stdio: 'pipe' }));
    const { code, error } = await transport.ended;
    expect(code).toBe(null);
    expect(error?.message).toContain('ENOENT');
  });
});
