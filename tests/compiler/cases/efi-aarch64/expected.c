typedef struct Services Services;
struct Services {
  usize (*stall)(usize);
};
_Static_assert(sizeof(Services) == 8, "layout of Services");

HELPER Services * load_Ptr_Services1(const void *p) { Services * r; __builtin_memcpy(&r, p, sizeof r); return r; }

static usize onEvent(usize);
__attribute__((used)) static void start(usize, usize);

#line 6 "tests/compiler/cases/efi-aarch64/input.ts"
static usize onEvent(usize context) {
  return context;
}

static void start(usize image, usize table) {
  Services *services = load_Ptr_Services1((u8 *)(void *)table + 96);
  services->stall = onEvent;
  services->stall(image);
}

__asm__(
    ".section .text._start, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "bl start\n"
    "brk #1\n"
    ".text\n");
