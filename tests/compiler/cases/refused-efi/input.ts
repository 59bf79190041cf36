class Services {
  notAFunction!: Efi<usize>;
  stall!: Efi<(microseconds: usize) => usize>;
}

function takesTwo(a: usize, b: usize): usize {
  return a + b;
}

function plain(f: (microseconds: usize) => usize): void {}

export function give(services: Ptr<Services>): void {
  services.stall = takesTwo;
  plain(services.stall);
}
