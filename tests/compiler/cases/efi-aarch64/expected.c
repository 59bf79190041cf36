typedef struct Services Services;
struct Services {
  usize (*stall)(usize);
};
_Static_assert(sizeof(Services) == 8, "layout of Services");

HELPER Services * load_Ptr_Services1(const void *p) { Services * r; __builtin_memcpy(&r, p, sizeof r); return r; }

static usize onEvent(usize);
void start(usize, usize);

#line 6 "tests/compiler/cases/efi-aarch64/input.ts"
static usize onEvent(usize context) {
  return context;
}

void start(usize image, usize table) {
  Services *services = load_Ptr_Services1((u8 *)(void *)table + 96);
  services->stall = onEvent;
  services->stall(image);
}
