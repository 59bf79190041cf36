// target wasm32
function start(image: usize, table: usize): void {}

entry.efi(start);
