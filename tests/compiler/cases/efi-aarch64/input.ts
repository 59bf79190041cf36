// target aarch64
class Services {
  stall!: Efi<(microseconds: usize) => usize>;
}

function onEvent(context: usize): usize {
  return context;
}

/** @symbol start */
function start(image: usize, table: usize): void {
  const services = load<Ptr<Services>>(table, 96);
  services.stall = onEvent;
  services.stall(image);
}
