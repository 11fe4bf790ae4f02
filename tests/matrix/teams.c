/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenMP for the thread sanitizer: what gcc calls for the pragmas that hsgd has, in terms of POSIX threads, which the sanitizer
 * understands without a mistake. A team is begun by pthread_create and ends in pthread_join, at every level; between these
 * nothing orders two threads but critical sections, so nothing hides a race: iterations are dealt by a relaxed counter.
 *
 * The interface is that of libgomp (libgomp/libgomp_g.h of gcc). A pragma that needs more does not link against this alone,
 * and tests/matrix/run says so. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

typedef unsigned long long ull;
typedef void (*body)(void *data);

enum { MAX_LOOPS = 16 }; /* of one parallel region */

typedef struct team {
    int size;
    body work;
    void *data;
    atomic_ullong taken[MAX_LOOPS]; /* pieces of each loop that were dealt */
} team;

/* A loop as one thread sees it; all threads of a team are told the same. */
typedef struct loop {
    ull begin, end, step, piece; /* counting up */
} loop;

/* What a thread is. */
typedef struct member {
    team *team;                         /* NULL: outside of all */
    int number, active_levels, threads; /* threads: of the next team, 0: not set */
    int loops;                          /* that it has begun in this team */
    loop loop;                          /* the last of them */
} member;

static _Thread_local member self;
static atomic_int max_active_levels = 1;

static void stop(const char *why)
{
    fprintf(stderr, "teams.c: %s\n", why);
    abort();
}

/* ---- teams ---- */

static void *join_in(void *as)
{
    self = *(const member *)as;
    self.team->work(self.team->data);
    return NULL;
}

static int default_threads(void)
{
    const char *wish = getenv("OMP_NUM_THREADS");
    int threads = wish ? atoi(wish) : 0;
    return threads > 0 ? threads : get_nprocs();
}

int omp_get_max_threads(void)
{
    return self.threads > 0 ? self.threads : default_threads();
}

void omp_set_num_threads(int threads)
{
    self.threads = threads;
}

void omp_set_max_active_levels(int levels)
{
    max_active_levels = levels;
}

int omp_get_thread_num(void)
{
    return self.number;
}

int omp_get_num_threads(void)
{
    return self.team ? self.team->size : 1;
}

static void run_team(body work, void *data, unsigned threads, const loop *dealt)
{
    member before = self;
    int size = threads ? (int)threads : omp_get_max_threads();
    if (before.active_levels >= max_active_levels)
        size = 1;
    team own = {.size = size, .work = work, .data = data};
    member *as = calloc((size_t)size, sizeof *as);
    pthread_t *thread = calloc((size_t)size, sizeof *thread);
    if (!as || !thread)
        stop("out of memory");
    for (int i = 0; i < size; i++) {
        as[i] = (member){
            .team = &own, .number = i, .active_levels = before.active_levels + (size > 1), .threads = before.threads};
        if (dealt) {
            as[i].loops = 1;
            as[i].loop = *dealt;
        }
    }
    for (int i = 1; i < size; i++)
        if (pthread_create(&thread[i], NULL, join_in, &as[i]))
            stop("no more threads");
    join_in(&as[0]);
    for (int i = 1; i < size; i++)
        pthread_join(thread[i], NULL);
    free(as);
    free(thread);
    self = before;
}

void GOMP_parallel(body work, void *data, unsigned threads, unsigned flags)
{
    (void)flags;
    run_team(work, data, threads, NULL);
}

/* ---- loops ---- */

static bool take(ull *begin, ull *end)
{
    const loop *l = &self.loop;
    ull piece = atomic_fetch_add_explicit(&self.team->taken[self.loops - 1], 1, memory_order_relaxed);
    ull stride = l->step * l->piece, pieces = l->end > l->begin ? (l->end - l->begin + stride - 1) / stride : 0;
    if (piece >= pieces)
        return false;
    *begin = l->begin + piece * stride;
    *end = piece + 1 < pieces ? *begin + stride : l->end;
    return true;
}

static bool take_signed(long *begin, long *end)
{
    ull first, last;
    if (!take(&first, &last))
        return false;
    *begin = (long)first;
    *end = (long)last;
    return true;
}

bool GOMP_loop_ull_nonmonotonic_dynamic_start(bool up, ull begin, ull end, ull step, ull piece, ull *first, ull *last)
{
    if (!up || !self.team || self.loops == MAX_LOOPS)
        stop("a loop that counts down, that has no team, or one too many");
    self.loops++;
    self.loop = (loop){begin, end, step, piece};
    return take(first, last);
}

bool GOMP_loop_ull_nonmonotonic_dynamic_next(ull *first, ull *last)
{
    return take(first, last);
}

void GOMP_parallel_loop_nonmonotonic_dynamic(body work, void *data, unsigned threads, long begin, long end, long step,
                                             long piece, unsigned flags)
{
    (void)flags;
    if (step <= 0 || begin < 0)
        stop("a loop that counts down, or of negative numbers");
    run_team(work, data, threads, &(loop){(ull)begin, (ull)(end > begin ? end : begin), (ull)step, (ull)piece});
}

bool GOMP_loop_nonmonotonic_dynamic_next(long *first, long *last)
{
    return take_signed(first, last);
}

void GOMP_loop_end_nowait(void) {}

/* ---- critical sections ---- */

/* A lock for each name, made by who comes first. */
static pthread_mutex_t *lock_of(void **name)
{
    _Atomic(void *) *place = (_Atomic(void *) *)name;
    void *lock = atomic_load(place), *mine;
    if (lock)
        return lock;
    mine = malloc(sizeof(pthread_mutex_t));
    if (!mine || pthread_mutex_init(mine, NULL))
        stop("no lock");
    if (atomic_compare_exchange_strong(place, &lock, mine))
        return mine;
    pthread_mutex_destroy(mine);
    free(mine);
    return lock;
}

void GOMP_critical_name_start(void **name)
{
    pthread_mutex_lock(lock_of(name));
}

void GOMP_critical_name_end(void **name)
{
    pthread_mutex_unlock(lock_of(name));
}
