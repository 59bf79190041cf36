/** What mu surface reads, in the shape that Linux has it: a kernel that never runs. */

class Driver {
  name!: u64;
}

/** A structure that begins with the address of its name. */
const tmpfs: FixedArray<string> = ['tmpfs\0'];
/** @align 8 */
const atkbd_drv = zeroed<Driver>();
/** @align 8 */
const forgotten_drv = zeroed<Driver>();

let registrations: i32 = 0;

/** @symbol register_filesystem @noinline */
function registerFilesystem(fs: Ptr<string>): i32 {
  registrations++;
  return volatile.load<i32>(fs);
}

/** @symbol unregister_filesystem @noinline */
function unregisterFilesystem(fs: Ptr<string>): i32 {
  registrations--;
  return volatile.load<i32>(fs);
}

/** @symbol driver_register @noinline */
function driverRegister(driver: Ptr<Driver>): u64 {
  registrations++;
  return volatile.load<u64>(ref(driver.name));
}

/** Passes on what it is given: no name of its own. @symbol __serio_register_driver @noinline */
function serioRegisterDriver(driver: Ptr<Driver>): u64 {
  registrations++;
  return driverRegister(driver) + 1;
}

/** @symbol __x64_sys_read @noinline */
function sysRead(registers: usize): isize {
  return volatile.load<isize>(registers);
}

/** @symbol __x64_sys_ni_syscall @noinline */
function sysNotThere(registers: usize): isize {
  return -38;
}

/** @symbol __x64_sys_exit @noinline */
function sysExit(registers: usize): isize {
  return -3;
}

const sys_call_table: FixedArray<(registers: usize) => isize> = [sysRead, sysNotThere, sysExit];

/** @symbol init */
export function init(call: i32): isize {
  registerFilesystem(ref(tmpfs[0]));
  unregisterFilesystem(ref(tmpfs[0]));
  const sum = serioRegisterDriver(ref(atkbd_drv));
  return sys_call_table[call](usize(sum) + volatile.load<usize>(ref(forgotten_drv.name)));
}
