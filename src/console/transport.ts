/**
 * The way to a guest: bytes there, bytes back, and an end. The console protocol (docs/console.md)
 * knows nothing else of what carries it. There is one function for each way.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

export interface Transport {
  /** The guest's process id, where it is a process of this system. */
  readonly pid?: number;
  /** Sends bytes to the guest. Those to one that has ended are lost; its end tells the story. */
  write(bytes: Uint8Array): void;
  /** Sends the last bytes: nothing is written after them. */
  end(bytes: Uint8Array): void;
  /** Calls back with each piece that the guest sends. What is returned ends that. */
  onBytes(listener: (bytes: Uint8Array) => void): () => void;
  /**
   * Calls back with what whoever carries the guest says beside it: QEMU's standard error, a
   * process's.
   */
  onRemark(listener: (bytes: Uint8Array) => void): void;
  /** Settles when the guest is gone and its last bytes have been handed on. Never rejects. */
  readonly ended: Promise<TransportEnd>;
  /** Ends the guest at once, whatever it does. */
  kill(): void;
}

/** How it came to an end: an exit code, or a signal, or it did not start. */
export interface TransportEnd {
  code: number | null;
  signal: string | null;
  /** Why it did not start. */
  error?: Error;
}

/** The guest is a process, and its standard input and output are the stream. */
export function processTransport(child: ChildProcessWithoutNullStreams): Transport {
  return { ...overPipes(child), pid: child.pid };
}

/**
 * The stream is the serial port of a machine that QEMU emulates, which has it on its own standard
 * input and output. The exit code is QEMU's: 2 × code + 1 of a guest that failed (docs/faults.md).
 */
export function serialTransport(qemu: ChildProcessWithoutNullStreams): Transport {
  return overPipes(qemu);
}

function overPipes(child: ChildProcessWithoutNullStreams): Transport {
  // Writing to a process that has ended raises EPIPE here.
  child.stdin.on('error', () => {});
  return {
    write: (bytes) => void child.stdin.write(bytes),
    end: (bytes) => void child.stdin.end(bytes),
    onBytes: (listener) => {
      child.stdout.on('data', listener);
      return () => child.stdout.off('data', listener);
    },
    onRemark: (listener) => void child.stderr.on('data', listener),
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: null, error }));
      // 'close' comes after the last output has been read, 'exit' may come before.
      child.once('close', (code, signal) => resolve({ code, signal }));
    }),
    kill: () => void child.kill('SIGKILL'),
  };
}
