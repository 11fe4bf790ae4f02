/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An allocator for LD_PRELOAD that fails once in each place: the first allocation from a call stack that a file does not list
 * yet is refused, and the stack is added to the file. So a program that is called again and again with the same file fails
 * at every place in turn, until a call adds nothing. Blocks that the program's own code allocated and did not free before
 * main returned are written to another file.
 *
 *   HSGD_FAULT_PROGRAM  the absolute path of the program; others that it starts, such as gnuplot, are left alone
 *   HSGD_FAULT_SITES    the file of the call stacks: a line of "module+offset" for each, the innermost first
 *   HSGD_FAULT_DEPTH    two places differ in the innermost frame or in so many frames of the program above it (default: 2)
 *   HSGD_FAULT_AT       instead: refuse the allocation of this number, from 1; its stack is added all the same
 *   HSGD_FAULT_LASTS    if set: after the first refusal nothing is allocated any more
 *   HSGD_FAULT_LEFT     the file for blocks that are left, a line each; an empty one says that main returned
 *
 * Only what happens inside of main counts. Libraries with ways of their own to run out of memory are named below. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own, under the names that are always there. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

enum { FRAMES = 40, TEXT = 4096, NUM_SEEN = 1 << 16, NUM_LIVE = 1 << 17 };

/* Not ours to judge: MPI and what it brings, and the loader. The reasons are in tests/faults/README.md. */
static const char *const excused[] = {"libmpi", "libopen-",  "libevent", "libhwloc", "libpmix",
                                      "mca_",   "libOpenCL", "libudev",  "ld-linux"};

static atomic_bool armed;
static atomic_ulong count;
static bool lasting, refused; /* under the lock */
static unsigned long wanted;
static int depth = 2;
static uintptr_t program_begin, program_end;
static const char *sites_path, *left_path;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread bool inside __attribute__((tls_model("initial-exec")));

/* Hashes of the stacks that were met already (by address), and of those that the file lists (by module and offset). */
static uint64_t seen[NUM_SEEN], listed[NUM_SEEN];

/* Blocks that are not freed, and where they come from; NULL: nobody wants to know. */
typedef struct origin {
    void *frame[12];
    int num_frames;
} origin;
static const void **blocks;
static origin *origins;
static const char grave; /* in the place of a freed block: the search goes on behind it */

static uint64_t hash(const void *bytes, size_t size)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return h ? h : 1;
}

/* Whether the set had it; it has it afterwards. */
static bool put(uint64_t *set, uint64_t value)
{
    size_t at = value % NUM_SEEN;
    for (size_t tries = 0; tries < NUM_SEEN; tries++, at = (at + 1) % NUM_SEEN) {
        if (set[at] == value)
            return true;
        if (!set[at]) {
            set[at] = value;
            return false;
        }
    }
    return true;
}

static const char *module_of(const void *address, size_t *offset)
{
    Dl_info info;
    *offset = 0;
    if (!dladdr(address, &info) || !info.dli_fname)
        return "?";
    const char *slash = strrchr(info.dli_fname, '/');
    *offset = (size_t)((const char *)address - (const char *)info.dli_fbase);
    return slash ? slash + 1 : info.dli_fname;
}

static size_t describe(char *out, void *const *frame, int num_frames)
{
    size_t length = 0;
    out[0] = '\0';
    for (int i = 0; i < num_frames && length + 80 < TEXT; i++) {
        size_t offset;
        const char *module = module_of(frame[i], &offset);
        length += (size_t)snprintf(out + length, TEXT - length, "%s%.60s+0x%zx", i ? " " : "", module, offset);
    }
    return length;
}

static bool is_excused(void *const *frame, int num_frames)
{
    for (int i = 0; i < num_frames; i++) {
        size_t offset;
        const char *module = module_of(frame[i], &offset);
        for (size_t k = 0; k < sizeof excused / sizeof *excused; k++)
            if (strncmp(module, excused[k], strlen(excused[k])) == 0)
                return true;
    }
    return false;
}

/* Frames above the allocator itself, from the caller of malloc on: how many of ours are below it depends on the compiler. */
static int walk(void **frame, int most, const void *caller)
{
    enum { OWN = 8 };
    void *all[FRAMES + OWN];
    int found = backtrace(all, most + OWN), skip = 0;
    while (skip < found && all[skip] != caller)
        skip++;
    if (skip == found) { /* it could not be walked */
        frame[0] = (void *)(uintptr_t)caller;
        return 1;
    }
    int count = found - skip < most ? found - skip : most;
    memcpy(frame, all + skip, (size_t)count * sizeof *frame);
    return count;
}

/* The frames that tell where we are; a recursion is one place, however deep it goes. */
static int choose(void **out, void *const *frame, int num_frames)
{
    int kept = 0;
    for (int i = 0; i < num_frames && kept <= depth; i++) {
        bool own = (uintptr_t)frame[i] >= program_begin && (uintptr_t)frame[i] < program_end;
        if (kept == 0 || (own && frame[i] != out[kept - 1]))
            out[kept++] = frame[i];
    }
    return kept;
}

static void append(const char *path, const char *text, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0 || write(file, text, length) != (ssize_t)length)
        _exit(125);
    close(file);
}

/* Of the frames that count. */
static uint64_t hash_of_line(const char *line)
{
    size_t length = strcspn(line, "|\n");
    return hash(line, length);
}

static bool put_locked(uint64_t *set, uint64_t value)
{
    pthread_mutex_lock(&lock);
    bool had = put(set, value);
    pthread_mutex_unlock(&lock);
    return had;
}

/* "the frames that count | all frames". The lock is never held where the loader's may be taken: its holder may be allocating. */
static bool refuse_here(void *const *frame, int num_frames)
{
    char key[TEXT], text[2 * TEXT];
    void *near[FRAMES];
    int kept = choose(near, frame, num_frames);
    if (!wanted && put_locked(seen, hash(near, (size_t)kept * sizeof *near)))
        return false;
    if (is_excused(frame, num_frames < 16 ? num_frames : 16)) {
        if (wanted)
            append(sites_path, "excused|\n", 9); /* there may be more behind it */
        return false;
    }
    size_t length = describe(key, near, kept);
    if (!wanted && put_locked(listed, hash(key, length)))
        return false;
    memcpy(text, key, length);
    text[length++] = '|';
    length += describe(text + length, frame, num_frames);
    text[length++] = '\n';
    pthread_mutex_lock(&lock);
    bool first = !refused;
    refused = true;
    pthread_mutex_unlock(&lock);
    if (first)
        append(sites_path, text, length);
    return first;
}

static bool must_fail(const void *caller)
{
    if (!armed || inside)
        return false;
    inside = true;
    unsigned long number = ++count;
    pthread_mutex_lock(&lock);
    bool fails = refused && lasting, looks = !refused && (!wanted || number == wanted);
    pthread_mutex_unlock(&lock);
    if (looks) {
        void *frame[FRAMES];
        int num_frames = walk(frame, FRAMES, caller);
        fails = refuse_here(frame, num_frames);
    }
    inside = false;
    if (fails)
        errno = ENOMEM;
    return fails;
}

/* ---- what is left ---- */

static size_t slot_of(const void *block)
{
    return ((uintptr_t)block >> 4) * 2654435761u % NUM_LIVE;
}

static void note(const void *block, const void *caller)
{
    if (!block || !armed || inside || !blocks)
        return;
    inside = true;
    origin from;
    from.num_frames = walk(from.frame, 12, caller);
    pthread_mutex_lock(&lock);
    size_t at = slot_of(block), tries = 0;
    while (blocks[at] && blocks[at] != &grave && tries++ < NUM_LIVE)
        at = (at + 1) % NUM_LIVE;
    blocks[at] = block;
    origins[at] = from;
    pthread_mutex_unlock(&lock);
    inside = false;
}

static void forget(const void *block)
{
    if (!block || !armed || inside || !blocks)
        return;
    pthread_mutex_lock(&lock);
    size_t at = slot_of(block), tries = 0;
    while (blocks[at] && blocks[at] != block && tries++ < NUM_LIVE)
        at = (at + 1) % NUM_LIVE;
    if (blocks[at] == block)
        blocks[at] = &grave;
    pthread_mutex_unlock(&lock);
}

static void report(void)
{
    append(left_path, "", 0);
    for (size_t i = 0; i < NUM_LIVE; i++) {
        char text[TEXT + 1];
        if (!blocks[i] || blocks[i] == &grave)
            continue;
        size_t length = describe(text, origins[i].frame, origins[i].num_frames);
        text[length++] = '\n';
        append(left_path, text, length);
    }
}

/* ---- the allocator ---- */

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    void *block = must_fail(CALLER) ? NULL : __libc_malloc(size);
    note(block, CALLER);
    return block;
}

void *calloc(size_t number, size_t size)
{
    void *block = must_fail(CALLER) ? NULL : __libc_calloc(number, size);
    note(block, CALLER);
    return block;
}

void *realloc(void *old, size_t size)
{
    if (must_fail(CALLER))
        return NULL;
    forget(old);
    void *block = __libc_realloc(old, size);
    note(block ? block : size ? old : NULL, CALLER);
    return block;
}

void *reallocarray(void *old, size_t number, size_t size)
{
    if (size && number > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    if (must_fail(CALLER))
        return NULL;
    forget(old);
    void *block = __libc_realloc(old, number * size);
    note(block ? block : number && size ? old : NULL, CALLER);
    return block;
}

void *memalign(size_t alignment, size_t size)
{
    void *block = must_fail(CALLER) ? NULL : __libc_memalign(alignment, size);
    note(block, CALLER);
    return block;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *block = must_fail(CALLER) ? NULL : __libc_memalign(alignment, size);
    note(block, CALLER);
    return block;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block = must_fail(CALLER) ? NULL : __libc_memalign(alignment, size);
    note(block, CALLER);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

void free(void *block)
{
    forget(block);
    __libc_free(block);
}

/* The disk would take most of the time, and loses nothing here. */
int fsync(int descriptor)
{
    (void)descriptor;
    return 0;
}

/* ---- main ---- */

static int (*the_main)(int, char **, char **);

static void read_listed(void)
{
    FILE *file = fopen(sites_path, "r");
    char *line = NULL;
    size_t room = 0;
    while (file && getline(&line, &room, file) >= 0)
        put(listed, hash_of_line(line));
    free(line);
    if (file)
        fclose(file);
}

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            program_begin = program_begin ? program_begin : first;
            program_end = first + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

static bool begin(void)
{
    char self[PATH_MAX] = "";
    const char *program = getenv("HSGD_FAULT_PROGRAM"), *number = getenv("HSGD_FAULT_AT"),
               *frames = getenv("HSGD_FAULT_DEPTH");
    void *first[2];
    sites_path = getenv("HSGD_FAULT_SITES");
    left_path = getenv("HSGD_FAULT_LEFT");
    lasting = getenv("HSGD_FAULT_LASTS") != NULL;
    wanted = number ? strtoul(number, NULL, 10) : 0;
    if (frames)
        depth = atoi(frames);
    if (!program || !sites_path || depth < 0 || depth > FRAMES - 2 ||
        readlink("/proc/self/exe", self, sizeof self - 1) < 0 || strcmp(self, program) != 0)
        return false;
    backtrace(first, 2); /* its first call allocates */
    dl_iterate_phdr(find_program, NULL);
    read_listed();
    if (left_path) {
        blocks = __libc_calloc(NUM_LIVE, sizeof *blocks);
        origins = __libc_calloc(NUM_LIVE, sizeof *origins);
    }
    return true;
}

static int main_with_faults(int argc, char **argv, char **environment)
{
    if (!begin())
        return the_main(argc, argv, environment);
    armed = true;
    int code = the_main(argc, argv, environment);
    armed = false;
    if (blocks)
        report();
    return code;
}

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    the_main = entry;
    return start(main_with_faults, argc, argv, init, fini, rtld_fini, stack_end);
}
