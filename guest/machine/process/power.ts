import { reboot } from './system.ts';

/** reboot(2); Linux, include/uapi/linux/reboot.h */
const RESTART: u32 = 0x01234567;
const POWER_OFF: u32 = 0x4321fedc;

/**
 * Ends the machine; only its superuser may. resets: by a reset, on machines that software cannot
 * switch off; there Linux would stop for ever with the power on.
 */
export function powerOff(resets: bool): void {
  reboot(resets ? RESTART : POWER_OFF);
}
