declare function noBody(): void;

declare const outside: i32;

export function run(): void {
  noBody();
}
