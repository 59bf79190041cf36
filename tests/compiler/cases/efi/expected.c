typedef struct TextOutput TextOutput;
typedef struct Services Services;
struct TextOutput {
  usize (__attribute__((ms_abi)) *reset)(TextOutput *, bool);
  usize (__attribute__((ms_abi)) *outputString)(TextOutput *, u16 *);
};
_Static_assert(sizeof(TextOutput) == 16, "layout of TextOutput");
struct Services {
  void (__attribute__((ms_abi)) *onEvent)(usize);
};
_Static_assert(sizeof(Services) == 8, "layout of Services");

HELPER TextOutput * load_Ptr_TextOutput1(const void *p) { TextOutput * r; __builtin_memcpy(&r, p, sizeof r); return r; }
HELPER Services * load_Ptr_Services2(const void *p) { Services * r; __builtin_memcpy(&r, p, sizeof r); return r; }

__attribute__((target("general-regs-only"), ms_abi)) static void onEvent(usize);
__attribute__((target("general-regs-only"))) void start(usize, usize);
static void run(usize);
static usize events = 0;

#line 15 "tests/compiler/cases/efi/input.ts"
static void onEvent(usize context) {
  events += context;
}

void start(usize image, usize table) {
  TextOutput *out = load_Ptr_TextOutput1((u8 *)(void *)table + 64);
  Services *services = load_Ptr_Services2((u8 *)(void *)table + 96);
  services->onEvent = onEvent;
  if (out->outputString(out, null) == 0) { run(image); }
}

static void run(usize image) {
  events = image;
}
