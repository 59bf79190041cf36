typedef struct Frame Frame;
struct Frame {
  u64 address;
  u64 codeSegment;
  u64 flags;
};
_Static_assert(sizeof(Frame) == 24, "layout of Frame");

HELPER void store_usize(void *p, usize value) { __builtin_memcpy(p, &value, sizeof value); }

__attribute__((interrupt, target("general-regs-only"))) static void onInterrupt(Frame *);
__attribute__((target("general-regs-only"))) static void say(u8);
__attribute__((always_inline, target("general-regs-only"))) static inline void pause(void);
__attribute__((noinline, target("general-regs-only"))) void start(usize);
static u64 ticks = 0;

#line 11 "tests/compiler/cases/machine/input.ts"
static void onInterrupt(Frame *frame) {
  say((u8)(frame->address & 0xff));
  ticks += frame->flags;
}

static void say(u8 byte) {
  while (((*(volatile u8 *)(void *)0x3fd) & 0x20) == 0) { pause(); }
  *(volatile u8 *)(void *)0x3f8 = byte;
}

static inline void pause(void) {
  __asm__ volatile("pause" :  :  : "cc");
}

void start(usize info) {
  store_usize((void *)4096, (usize)onInterrupt);
  *(volatile u32 *)(void *)0xfee000b0ull = 0;
  if (__atomic_fetch_add((u32 *)(void *)8192, 1, __ATOMIC_SEQ_CST) == 0) { __atomic_store_n((u32 *)(void *)8196, 1, __ATOMIC_SEQ_CST); }
  __asm__ volatile("hlt" :  :  : "memory", "cc");
}
