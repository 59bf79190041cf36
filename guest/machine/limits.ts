/** How many cores a machine without operating system takes. */

/**
 * A core's jobs need a few KiB of stack; a process gives its threads as much. Each begins with a
 * page that nobody may touch.
 */
export const MOST_CORES: i32 = 16;
export const CORE_STACK_BYTES: usize = 32768;
