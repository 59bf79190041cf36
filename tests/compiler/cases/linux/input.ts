function worker(index: usize): void {
  linux.syscall(24, index);
}

function start(stack: Ptr<usize>): void {
  const text = 'hello\n';
  linux.syscall(1, 1, utf8(text), text.length);
  linux.startThread(stack[0], 0x50f00, worker, 1);
  linux.syscall(231, 0);
}

entry.linuxProcess(start);
