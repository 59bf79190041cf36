type Callback = (x: i32) => i32;

class Driver {
  start!: Callback;
  send!: Efi<(self: Ptr<Driver>, text: Ptr<u16>) => usize>;
}

function double(x: i32): i32 {
  return 2 * x;
}

const HANDLERS: FixedArray<Callback> = [double, double];
let handler: Callback = null;

export function run(driver: Ptr<Driver>, rows: Ptr<FixedArray<u8, 4>>, names: Ptr<Ptr<u8>>): i32 {
  handler = driver.start;
  if (handler == null) handler = double;
  driver.send(driver, null);
  const cell = ref(rows[1][2]);
  memory.prefetch(cell);
  cell[0] = names[0][3];
  return handler(3) + HANDLERS[0](4) + i32(load<u16>(changetype<usize>(cell), 2));
}

function onEvent(context: usize): usize {
  return context + 1;
}

export function register(table: Ptr<Ptr<Efi<(context: usize) => usize>>>): usize {
  table[0][1] = onEvent;
  return onEvent(1);
}
