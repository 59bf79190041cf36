/**
 * What a Linux kernel does when it is asked: guest/linux/probe.ts, run as a process here or as the
 * first process of a machine in QEMU. It says at run time what src/measure/surface.ts reads from
 * the file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCpio } from '../image/cpio.ts';
import { DEFAULT_TARGET } from '../toolchain/architectures.ts';
import { cached, hashOf, hashSources, PROJECT_ROOT } from '../toolchain/cache.ts';
import { type Child, killChild, startChild } from '../toolchain/children.ts';
import { clangVersion, compileArguments, linkArguments, runTool } from '../toolchain/clang.ts';
import { requireTool } from '../toolchain/find.ts';
import { archModules } from '../toolchain/guest.ts';
import { type QemuMachine, qemuArguments } from '../toolchain/qemu.ts';
import { BASE_VARIANT } from '../toolchain/variants.ts';

/** Path of the probe, a static program without libc. */
export async function compileProbe(): Promise<string> {
  const source = join(PROJECT_ROOT, 'guest/linux/probe.ts');
  const key = hashOf([hashSources(['guest', 'src/compiler'], ['.ts']), clangVersion()]);
  const { folder } = await cached('probe', key, async (folder) => {
    const { compileToC, formatDiagnostic } = await import('../compiler/index.ts');
    const target = { arch: DEFAULT_TARGET };
    const { c, diagnostics } = compileToC({ entry: source, modules: archModules(), target });
    if (diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
    const [cFile, object] = [join(folder, 'probe.c'), join(folder, 'probe.o')];
    writeFileSync(cFile, c);
    runTool('clang', compileArguments('process', BASE_VARIANT, cFile, object));
    runTool('lld', linkArguments('process', [object], join(folder, 'probe')));
  });
  return join(folder, 'probe');
}

export interface ProbedMachine {
  /** bzImage or vmlinux with a PVH note. */
  kernel: string;
  machine: QemuMachine;
  /** Its words besides those that the probe needs. */
  commandLine: string;
  memoryBytes?: number;
  /** Further arguments of QEMU: disks, network cards. */
  devices?: readonly string[];
}

const LIMIT_MS = 180_000;

/**
 * Boots a kernel with the probe as its first process and returns what it answers to each request.
 */
export async function probeMachine(
  machine: ProbedMachine,
  requests: readonly string[],
): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'mu-probe-'));
  try {
    const initrd = join(folder, 'initrd');
    await writeCpio(initrd, [
      ...['dev', 'proc', 'sys', 'tmp'].map((path) => ({ path, mode: 0o755 })),
      { path: 'dev/console', mode: 0o600, device: [5, 1] },
      { path: 'init', mode: 0o755, content: { file: await compileProbe() } },
      { path: 'requests', mode: 0o644, content: Buffer.from(`${requests.join('\n')}\n`) },
    ]);
    const [qemu, ...leading] = requireTool('qemu');
    const { kernel, machine: name, memoryBytes = 256 * 2 ** 20, devices = [] } = machine;
    const child = startChild(qemu, [
      ...leading,
      ...qemuArguments({ kernel, machine: name, memoryBytes, initrd }),
      ...['-append', `${machine.commandLine} quiet loglevel=0 -- /requests`],
      ...devices,
    ]);
    return parseAnswers(await outputOf(child), requests);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same on the machine that we run on, which the requests must leave as it is. */
export async function probeHost(requests: readonly string[]): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'mu-probe-'));
  try {
    const file = join(folder, 'requests');
    writeFileSync(file, `${requests.join('\n')}\n`);
    return parseAnswers(await outputOf(startChild(await compileProbe(), [file])), requests);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function outputOf(child: Child): Promise<string> {
  let output = '';
  child.stdout.setEncoding('latin1').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text) => {
    output += text;
  });
  const limit = setTimeout(() => killChild(child), LIMIT_MS);
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', reject);
  });
  clearTimeout(limit);
  return output;
}

/**
 * output: for each request in turn its line, its answer, an empty line; at last "end". Throws if
 * one is missing.
 */
export function parseAnswers(output: string, requests: readonly string[]): Map<string, string> {
  const text = `\n${output.replaceAll('\r', '')}`;
  const answers = new Map<string, string>();
  let at = 0;
  for (const [i, request] of requests.entries()) {
    const start = text.indexOf(`\n${request}\n`, at);
    const next = `\n${requests[i + 1] ?? 'end'}\n`;
    const end = text.indexOf(next, start + request.length + 1);
    if (start < 0 || end < 0) {
      throw new Error(`the probe did not answer "${request}"; it wrote:\n${text.slice(-1500)}`);
    }
    answers.set(request, text.slice(start + request.length + 2, end).trimEnd());
    at = end;
  }
  return answers;
}
