export const d: i32 = 1;

function hidden(): i32 {
  return 2;
}
