/**
 * The parts of UEFI that we call, as UEFI 2.10 and PI 1.8 lay them out; what is left out stands as
 * room. A status of zero is success. Texts are UTF-16, ended by zero. Who is called gets a pointer
 * to the interface that was called first.
 */

/** A GUID's 16 bytes, as two little-endian words. */
type Guid = Ptr<u64>;
/** EFI_HANDLE */
type Handle = usize;

export const LOADED_IMAGE: FixedArray<u64> = [0x11d295625b1b31a1, 0x3b7269c9a0003f8e];
export const SIMPLE_FILE_SYSTEM: FixedArray<u64> = [0x11d26459964e5b22, 0x3b7269c9a000398e];
export const TEXT_INPUT: FixedArray<u64> = [0x11d269c7387477c1, 0x3b7269c9a000398e];
export const TEXT_OUTPUT: FixedArray<u64> = [0x11d269c7387477c2, 0x3b7269c9a000398e];
export const GRAPHICS_OUTPUT: FixedArray<u64> = [0x4a3823dc9042a9de, 0x6a5180d0de7afb96];
export const SERIAL_IO: FixedArray<u64> = [0x11d2f1d4bb25cf6f, 0xfdc13f2790000c9a];
export const MP_SERVICES: FixedArray<u64> = [0x4f46a76e3fdda605, 0x083d1b53f41229ad];

/** 4.3 */
export class SystemTable {
  header!: FixedArray<u8, 24>;
  vendor!: Ptr<u16>;
  revision!: u64;
  inputHandle!: Handle;
  input!: Ptr<TextInput>;
  outputHandle!: Handle;
  output!: Ptr<TextOutput>;
  errorHandle!: Handle;
  error!: Ptr<TextOutput>;
  runtime!: Ptr<RuntimeServices>;
  boot!: Ptr<BootServices>;
}

/** 4.4 */
export class BootServices {
  header!: FixedArray<u8, 24>;
  taskPriorities!: FixedArray<usize, 2>;
  /** how: AnyPages; type: LoaderData */
  allocatePages!: Efi<(how: u32, type: u32, pages: usize, address: Ptr<u64>) => usize>;
  memory!: FixedArray<usize, 4>;
  createEvent!: Efi<
    (type: u32, priority: usize, notify: usize, context: usize, event: Ptr<usize>) => usize
  >;
  events!: FixedArray<usize, 5>;
  protocols!: FixedArray<usize, 3>;
  handleProtocol!: Efi<(handle: Handle, protocol: Guid, out: Ptr<usize>) => usize>;
  reserved!: usize;
  registerNotify!: usize;
  handles!: FixedArray<usize, 3>;
  images!: FixedArray<usize, 5>;
  monotonicCount!: usize;
  stall!: Efi<(microseconds: usize) => usize>;
  setWatchdog!: Efi<(seconds: usize, code: u64, bytes: usize, data: Ptr<u16>) => usize>;
  controllers!: FixedArray<usize, 2>;
  openProtocol!: Efi<
    (
      handle: Handle,
      protocol: Guid,
      out: Ptr<usize>,
      agent: Handle,
      controller: Handle,
      how: u32,
    ) => usize
  >;
  opened!: FixedArray<usize, 3>;
  /** how: BY_PROTOCOL. The list is the caller's. */
  locateHandles!: Efi<
    (how: u32, protocol: Guid, key: usize, count: Ptr<usize>, list: Ptr<Ptr<Handle>>) => usize
  >;
  locateProtocol!: Efi<(protocol: Guid, registration: usize, out: Ptr<usize>) => usize>;
}
export const ANY_PAGES: u32 = 0;
export const LOADER_DATA: u32 = 2;
export const BY_PROTOCOL: u32 = 2;
/** Of openProtocol: takes it away from the drivers that have it. */
export const EXCLUSIVE: u32 = 0x20;

/** 4.5 */
export class RuntimeServices {
  header!: FixedArray<u8, 24>;
  others!: FixedArray<usize, 10>;
  /** how: SHUTDOWN */
  resetSystem!: Efi<(how: u32, status: usize, bytes: usize, data: usize) => void>;
}
export const SHUTDOWN: u32 = 2;

/** 9.1 */
export class LoadedImage {
  revision!: u64;
  parent!: Handle;
  table!: Ptr<SystemTable>;
  device!: Handle;
  path!: usize;
  reserved!: usize;
  optionBytes!: u64;
  options!: usize;
  base!: usize;
  bytes!: u64;
}

/** 12.3 */
export class TextInput {
  reset!: usize;
  readKey!: Efi<(self: Ptr<TextInput>, key: Ptr<Key>) => usize>;
  keyEvent!: usize;
}
export class Key {
  /** of keys that are no character */
  scanCode!: u16;
  character!: u16;
}

/** 12.4 */
export class TextOutput {
  reset!: usize;
  write!: Efi<(self: Ptr<TextOutput>, text: Ptr<u16>) => usize>;
  modes!: FixedArray<usize, 4>;
  clear!: Efi<(self: Ptr<TextOutput>) => usize>;
}

/** 13.4 */
export class FileSystem {
  revision!: u64;
  openVolume!: Efi<(self: Ptr<FileSystem>, root: Ptr<Ptr<File>>) => usize>;
}

/** 13.5 */
export class File {
  revision!: u64;
  open!: Efi<
    (self: Ptr<File>, out: Ptr<Ptr<File>>, name: Ptr<u16>, mode: u64, attributes: u64) => usize
  >;
  close!: usize;
  delete!: usize;
  /** bytes: how many are wanted, then how many came */
  read!: Efi<(self: Ptr<File>, bytes: Ptr<usize>, to: usize) => usize>;
  write!: usize;
  position!: Efi<(self: Ptr<File>, position: Ptr<u64>) => usize>;
  setPosition!: Efi<(self: Ptr<File>, position: u64) => usize>;
}
export const FILE_READ: u64 = 1;
/** Position: the file's end. */
export const FILE_END: u64 = u64.MAX_VALUE;

/** PI 1.8, volume 2, 13.4 */
export class MpServices {
  countProcessors!: Efi<(self: Ptr<MpServices>, all: Ptr<usize>, enabled: Ptr<usize>) => usize>;
  processorInfo!: usize;
  /** With an event it returns at once. microseconds: 0, no limit */
  startAll!: Efi<
    (
      self: Ptr<MpServices>,
      procedure: Efi<(argument: usize) => void>,
      oneByOne: bool,
      event: usize,
      microseconds: usize,
      argument: usize,
      failed: usize,
    ) => usize
  >;
}
