type Procedure = (context: usize) => void;

class TextOutput {
  reset!: Efi<(self: Ptr<TextOutput>, extended: bool) => usize>;
  outputString!: Efi<(self: Ptr<TextOutput>, text: Ptr<u16>) => usize>;
}

class Services {
  onEvent!: Efi<Procedure>;
}

let events: usize = 0;

/** Firmware calls it where vector registers may be off. @generalRegisters */
function onEvent(context: usize): void {
  events += context;
}

/** @symbol start @generalRegisters */
function start(image: usize, table: usize): void {
  const out = load<Ptr<TextOutput>>(table, 64);
  const services = load<Ptr<Services>>(table, 96);
  services.onEvent = onEvent;
  if (out.outputString(out, null) == 0) run(image);
}

function run(image: usize): void {
  events = image;
}
