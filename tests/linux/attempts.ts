/**
 * What the Linux stacks must refuse: requests to the probe (guest/linux/probe.ts) by what they
 * would do. Numbers are those of arch/x86/entry/syscalls/syscall_64.tbl; errors those of
 * include/uapi/asm-generic/errno-base.h and errno.h.
 */
export const EPERM = -1;
export const ENXIO = -6;
export const ENODEV = -19;
export const EROFS = -30;
export const ENOSYS = -38;

export interface Attempt {
  what: string;
  request: string;
  error: number;
}

/** The file systems that people put on disks, and those that lead elsewhere. */
const FILE_SYSTEMS =
  'ext2 ext3 ext4 vfat exfat iso9660 udf squashfs erofs xfs btrfs f2fs ntfs3 overlay fuse nfs smb3 virtiofs bpf debugfs'.split(
    ' ',
  );

/** AF_MAX of Linux 6.1 is 46; SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET. */
export const sockets: Attempt[] = Array.from({ length: 46 }, (_, family) =>
  [1, 2, 3, 5].map((type) => ({
    what: `socket of family ${family}, type ${type}`,
    request: `41,${family},${type},0`,
    error: ENOSYS,
  })),
).flat();

export const mounts: Attempt[] = FILE_SYSTEMS.map((type) => ({
  what: `mount of ${type}`,
  request: `165,/dev/nvme0n1,/tmp,${type},1,0`, // read-only
  error: ENODEV,
}));

/** Calls that are not there. Where they are, these arguments do no harm. */
export const calls: Attempt[] = Object.entries({
  socketpair: '53,1,1,0,0',
  connect: '42,0,0,0',
  sendto: '44,0,0,0,0,0,0',
  init_module: '175,/requests,8,',
  finit_module: '313,0,,0',
  delete_module: '176,nothing,0',
  kexec_load: '246,0,0,0,-1',
  kexec_file_load: '320,-1,-1,0,0,-1',
  swapon: '167,/dev/nvme0n1,0',
  quotactl: '179,0,0,0,0',
  acct: '163,/nothing',
  iopl: '172,3',
  ioperm: '173,0,1024,1',
  bpf: '321,-1,0,0',
  io_uring_setup: '425,1,0',
  io_setup: '206,1,0',
  userfaultfd: '323,-1',
  keyctl: '250,-1,0,0,0,0',
  add_key: '248,0,0,0,0,0',
  request_key: '249,0,0,0,0',
  process_vm_readv: '310,1,0,0,0,0,0',
  process_vm_writev: '311,1,0,0,0,0,0',
  fanotify_init: '300,-1,0',
  inotify_init1: '294,0',
  epoll_create1: '291,0',
  mq_open: '240,0,0,0,0',
  shmget: '29,0,4096,0',
  semget: '64,0,1,0',
  msgget: '68,0,0',
  modify_ldt: '154,0,0,0',
  name_to_handle_at: '303,-1,0,0,0,0',
  open_by_handle_at: '304,-1,0,0',
}).map(([what, request]) => ({ what, request, error: ENOSYS }));

/** S_IFBLK | 0600, S_IFCHR | 0600 */
const [BLOCK, CHARACTER] = [24960, 8576];

/** Device nodes can be made anywhere that can be written to; there is nothing behind them. */
const NODES: [what: string, kind: number, major: number, minor: number][] = [
  ['RAM disk', BLOCK, 1, 0],
  ['floppy disk', BLOCK, 2, 0],
  ['IDE disk', BLOCK, 3, 0],
  ['loop device', BLOCK, 7, 0],
  ['SCSI or SATA disk', BLOCK, 8, 0],
  ['CD-ROM', BLOCK, 11, 0],
  ['SD card', BLOCK, 179, 0],
  ['virtio disk', BLOCK, 254, 0],
  ['NVMe disk', BLOCK, 259, 0],
  ['/dev/mem', CHARACTER, 1, 1],
  ['/dev/port', CHARACTER, 1, 4],
  ['NVRAM', CHARACTER, 10, 144],
  ['network tunnel', CHARACTER, 10, 200],
  ['input from programs', CHARACTER, 10, 223],
  ['FUSE', CHARACTER, 10, 229],
  ['KVM', CHARACTER, 10, 232],
  ['SCSI commands', CHARACTER, 21, 0],
  ['machine-specific registers', CHARACTER, 202, 0],
];

/** makedev(3) */
function deviceNumber(major: number, minor: number): number {
  return (major << 8) | minor;
}

function nodeRequests(i: number, kind: number, major: number, minor: number): [string, string] {
  const path = `/node${i}`;
  return [`133,${path},${kind},${deviceNumber(major, minor)}`, `257,-100,${path},0`];
}

/** mknod and open of each, where files can be made. */
export const nodes: { make: string; open: Attempt }[] = NODES.map(([what, ...node], i) => {
  const [make, request] = nodeRequests(i, ...node);
  const isMisc = node[0] === CHARACTER && node[1] === 10;
  const error = node[0] === BLOCK || isMisc ? ENODEV : ENXIO;
  return { make, open: { what: `open of ${what}`, request, error } };
});

/** The same for a device that is there: /dev/null. */
export const nullNode = nodeRequests(NODES.length, CHARACTER, 1, 3);

/** O_CREAT | O_WRONLY, O_WRONLY */
const [CREATE, WRITE] = [65, 1];

/** Everything outside of /tmp. */
export const writes: Attempt[] = Object.entries({
  'a new file in /': `257,-100,/written,${CREATE},384`,
  'a new file in /bin': `257,-100,/bin/written,${CREATE},384`,
  'a new file in /dev': `257,-100,/dev/written,${CREATE},384`,
  'a new folder': '83,/written,448',
  'a new link': '88,/init,/written',
  'a new device node': `133,/written,${CHARACTER},259`,
  'writing to init': `257,-100,/init,${WRITE}`,
  'writing to the engine': `257,-100,/engine,${WRITE}`,
  'cutting the engine off': '76,/engine,0',
  'removing the engine': '87,/engine',
  'renaming the engine': '82,/engine,/written',
  'letting everybody write to it': '90,/engine,511',
}).map(([what, request]) => ({ what, request, error: EROFS }));

/** The same in /tmp must work: creating a file. */
export const writeInTmp = `257,-100,/tmp/written,${CREATE},384`;

/** What a process without privileges may not do, though the kernel could. */
export const privileges: Attempt[] = Object.entries({
  'making / writable': '165,none,/,none,32,0', // MS_REMOUNT
  'mounting a tmpfs': '165,none,/tmp,tmpfs,0,0',
  'unmounting /proc': '166,/proc,0',
  'a device node in /tmp': `133,/tmp/node,${CHARACTER},257`,
  'another root folder': '161,/tmp',
  'restarting the machine': '169,4276215469,672274793,19088743', // LINUX_REBOOT_CMD_RESTART
  'another host name': '170,name,4',
  'tracing init': '101,16,1,0,0', // PTRACE_ATTACH
}).map(([what, request]) => ({ what, request, error: EPERM }));
