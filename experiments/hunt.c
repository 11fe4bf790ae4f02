/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hunt: starts of both searchers in rounds, and the worst problem that they find.
 *
 * The starts of a round know the best point of the rounds before and nothing of each other, and the numbers of each come from
 * a stream of its own: threads may take them in any order. */
#include "experiments/hunt_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/clock.h"
#include "analysis/random.h"
#include "analysis/threads.h"

/* Starts of a round: enough to keep some cores busy, few enough to use what was found. */
enum { ROUND = 8 };

/* A start has at least so many evaluations, and so many for each parameter: a simplex needs some hundred to come to rest. */
enum { LEAST_EVALUATIONS = 300, EVALUATIONS_PER_PARAMETER = 60 };

/* The best ratio is noted when it has grown by this factor. */
static const double NOTED_GROWTH = 1.001;

/* ---- one start ---- */

/* A point of the space with its anchor. */
typedef struct place {
    hsgd_hunt_anchor anchor;
    double *point; /* (num_parameters) */
    double value;  /* logarithm of its score */
} place;

typedef struct attempt {
    const hsgd_hunt_space *space;
    const hsgd_quarry *quarry;
    hsgd_hunt_case problem; /* owned */
    place at;               /* owned */
    hsgd_hunt_start *start;
    double noted; /* the last ratio of its trace */
    hsgd_status status;
    hsgd_error err;
} attempt;

static void note(hsgd_hunt_start *start, size_t evaluation, double ratio)
{
    size_t at = start->num_points < HSGD_HUNT_TRACE ? start->num_points++ : HSGD_HUNT_TRACE - 1;
    start->evaluation[at] = evaluation;
    start->best_ratio[at] = ratio;
}

/* The logarithm of the score: its maxima are the same, and small ratios are as far from each other as large ones. */
static double value_at(void *context, const double *point)
{
    attempt *a = context;
    hsgd_hunted hunted;
    if (a->status)
        return -INFINITY;
    hsgd_hunt_space_case(&a->problem, a->space, &a->at.anchor, point);
    a->status = hsgd_hunt_measure(&hunted, a->space->setting, &a->problem, a->quarry, &a->space->config->hunt, &a->err);
    a->start->evaluations++;
    if (a->status || !(hunted.ratio > 0))
        return -INFINITY;
    a->start->ratio = fmax(a->start->ratio, hunted.ratio);
    if (a->start->ratio > NOTED_GROWTH * a->noted) {
        a->noted = a->start->ratio;
        note(a->start, a->start->evaluations, a->noted);
    }
    return log(hsgd_hunted_score(&hunted));
}

static void attempt_free(attempt *a)
{
    hsgd_hunt_case_free(&a->problem);
    free(a->at.point);
}

static hsgd_status attempt_init(attempt *a, const hsgd_hunt_space *space, const hsgd_quarry *quarry,
                                hsgd_hunt_start *start, hsgd_error *err)
{
    *a = (attempt){.space = space, .quarry = quarry, .start = start};
    a->at.point = calloc(space->num_parameters + 1, sizeof *a->at.point);
    if (!a->at.point)
        return hsgd_fail_memory(err, "a search");
    hsgd_status status =
        hsgd_hunt_case_init(&a->problem, space->dim, space->problem->quadratic.num_workers, space->own, err);
    if (status)
        free(a->at.point);
    return status;
}

/* What a start is told. */
typedef struct assignment {
    size_t index;       /* of all starts */
    size_t evaluations; /* at most */
    double deadline_s;
    const hsgd_stop *stop;
    const place *best; /* to begin there; NULL: anywhere */
} assignment;

/* Every other start from the best point searches closer to it. */
static double reach_of(const assignment *task)
{
    return task->best ? pow(10, -(double)(task->index / 2 % 4)) : 0.5;
}

static hsgd_status search_from(attempt *a, const assignment *task, gsl_rng *rng, hsgd_error *err)
{
    const hsgd_hunt_space *space = a->space;
    size_t used;
    hsgd_search search = {.method = a->start->method,
                          .dim = space->num_parameters,
                          .value = value_at,
                          .context = a,
                          .evaluations = task->evaluations,
                          .reach = reach_of(task),
                          .deadline_s = task->deadline_s,
                          .stop = task->stop};
    hsgd_hunt_space_draw(&a->at.anchor, a->at.point, space, rng);
    if (task->best) {
        a->at.anchor = task->best->anchor;
        memcpy(a->at.point, task->best->point, space->num_parameters * sizeof *a->at.point);
    }
    hsgd_status status = hsgd_search_run(a->at.point, &a->at.value, &used, &search, rng, err);
    note(a->start, a->start->evaluations, a->start->ratio);
    if (a->status && err)
        *err = a->err;
    return a->status ? a->status : status;
}

/* One start, whose best place goes to *out with its point copied there. */
static hsgd_status run_start(place *out, hsgd_hunt_start *start, const hsgd_hunt_space *space,
                             const hsgd_quarry *quarry, const assignment *task, hsgd_error *err)
{
    attempt a;
    const hsgd_stream stream = {space->config->hunt.seed, HSGD_PURPOSE_HUNT, (uint32_t)task->index, 0};
    const bool *use = space->config->hunt.use_method;
    size_t turn = task->index / 2 % 2;
    *start = (hsgd_hunt_start){.method = use[0] && use[1] ? (hsgd_search_method)turn
                                         : use[0]         ? HSGD_SEARCH_SIMPLEX
                                                          : HSGD_SEARCH_EVOLUTION,
                               .from_best = task->best};
    gsl_rng *rng = hsgd_stream_rng(&stream);
    hsgd_status status = rng ? attempt_init(&a, space, quarry, start, err) : hsgd_fail_memory(err, "a search");
    if (!status) {
        status = search_from(&a, task, rng, err);
        memcpy(out->point, a.at.point, space->num_parameters * sizeof *out->point);
        out->anchor = a.at.anchor;
        out->value = a.at.value;
        attempt_free(&a);
    }
    if (rng)
        gsl_rng_free(rng);
    return status;
}

/* ---- rounds ---- */

typedef struct rounds {
    const hsgd_hunt_space *space;
    hsgd_hunt *hunt;
    size_t per_start; /* evaluations */
    double deadline_s;
    place best;         /* of the rounds before; its point is owned */
    place found[ROUND]; /* of this round; their points are owned */
    int threads;
    hsgd_hunt_progress progress;
    const hsgd_stop *stop;
} rounds;

static void rounds_free(rounds *r)
{
    free(r->best.point);
    for (size_t i = 0; i < ROUND; i++)
        free(r->found[i].point);
}

/* As many as a start needs to come to rest; but a small budget is to be enough for a round. */
static size_t evaluations_per_start(const hsgd_hunt_spec *spec, size_t num_parameters)
{
    size_t needed = LEAST_EVALUATIONS + EVALUATIONS_PER_PARAMETER * num_parameters, share = spec->evaluations / ROUND;
    if (spec->evaluations == 0 || needed <= share)
        return needed;
    return share > LEAST_EVALUATIONS ? share : LEAST_EVALUATIONS;
}

static hsgd_status rounds_init(rounds *r, hsgd_hunt *hunt, const hsgd_hunt_space *space,
                               const hsgd_hunt_options *options, hsgd_error *err)
{
    const hsgd_hunt_spec *spec = &space->config->hunt;
    size_t room = (space->num_parameters + 1) * sizeof(double);
    *r = (rounds){.space = space,
                  .hunt = hunt,
                  .per_start = evaluations_per_start(spec, space->num_parameters),
                  .deadline_s = hsgd_now_s() + spec->seconds,
                  .best = {.point = malloc(room), .value = -INFINITY},
                  .threads = options->threads,
                  .progress = options->progress,
                  .stop = options->stop};
    bool complete = r->best.point;
    for (size_t i = 0; i < ROUND; i++)
        complete = (r->found[i].point = malloc(room)) && complete;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "a search");
}

/* Evaluations that are left for the start with this index: all alike, the last one has the rest. */
static size_t evaluations_of(const rounds *r, size_t index)
{
    size_t budget = r->space->config->hunt.evaluations, before = index * r->per_start;
    if (!budget)
        return r->per_start;
    return before >= budget ? 0 : budget - before < r->per_start ? budget - before : r->per_start;
}

/* How many starts the next round has, 0 at the end. */
static size_t size_of_round(const rounds *r)
{
    size_t count = 0;
    if (hsgd_now_s() > r->deadline_s)
        return 0;
    while (count < ROUND && evaluations_of(r, r->hunt->num_starts + count) > 0)
        count++;
    return count;
}

static hsgd_status run_round(rounds *r, size_t count, hsgd_error *err)
{
    hsgd_hunt *hunt = r->hunt;
    hsgd_hunt_start *first = hunt->start + hunt->num_starts;
    hsgd_status status[ROUND] = {HSGD_OK};
    hsgd_error error[ROUND];
    bool know_best = r->best.value > -INFINITY;
#pragma omp parallel for num_threads(r->threads) schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++) {
        size_t index = hunt->num_starts + i;
        const assignment task = {index, evaluations_of(r, index), r->deadline_s, r->stop,
                                 know_best && i % 2 ? &r->best : NULL};
        status[i] = run_start(&r->found[i], &first[i], r->space, &hunt->quarry, &task, &error[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (status[i]) {
            if (err)
                *err = error[i];
            return status[i];
        }
        first[i].first_evaluation = hunt->evaluations;
        hunt->evaluations += first[i].evaluations;
        if (r->found[i].value > r->best.value) {
            r->best.value = r->found[i].value;
            r->best.anchor = r->found[i].anchor;
            memcpy(r->best.point, r->found[i].point, r->space->num_parameters * sizeof(double));
            hunt->best_start = hunt->num_starts + i;
        }
    }
    hunt->num_starts += count;
    return HSGD_OK;
}

static hsgd_status run_rounds(rounds *r, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t count; !status && (count = size_of_round(r)) > 0;) {
        if (r->progress)
            r->progress(r->hunt, exp(r->best.value));
        hsgd_hunt_start *grown = realloc(r->hunt->start, (r->hunt->num_starts + count) * sizeof *grown);
        if (!grown)
            return hsgd_fail_memory(err, "the starts of the hunt");
        r->hunt->start = grown;
        status = run_round(r, count, err);
        if (!status && hsgd_stop_asked(r->stop))
            status = hsgd_fail(err, HSGD_STOPPED, "stopped after %zu evaluations; nothing is kept of a hunt",
                               r->hunt->evaluations);
    }
    return status;
}

/* ---- the worst problem ---- */

/* Rows (num_workers, dim) without gaps, from rows every stride numbers; NULL when memory is out or there are none. */
static double *close_rows(const double *rows, const hsgd_quadratic *q)
{
    double *out = rows ? malloc(q->num_workers * q->dim * sizeof *out) : NULL;
    for (size_t j = 0; out && j < q->num_workers; j++)
        memcpy(out + j * q->dim, rows + j * q->stride, q->dim * sizeof *out);
    return out;
}

/* Replace all in the configuration that the hunt may have changed; the arrays are the caller's. */
static void set_problem(hsgd_config *config, const hsgd_hunt_case *c, double *linear, double *worker_curvature)
{
    const hsgd_quadratic *q = &c->quadratic;
    config->has_hunt = false;
    config->problem = HSGD_PROBLEM_QUADRATIC;
    config->dim = config->initial_dim = q->dim;
    config->curvature = q->curvature;
    config->worker_curvature = worker_curvature;
    config->linear = linear;
    config->noise_sq = q->noise_sq;
    config->initial_point = c->initial;
    config->step_size = c->step_size;
    config->measure_every = 1; /* S is the mean over all steps */
}

/* The configuration of a problem: the hunt's own with everything explicit. NULL when memory is out. */
static char *write_config(const hsgd_hunt_case *c, const hsgd_hunt_space *space, const hsgd_quarry *quarry)
{
    hsgd_config config = *space->config; /* borrows all that it does not replace */
    const hsgd_quadratic *q = &c->quadratic;
    char name[160], *text = NULL;
    double *linear = close_rows(q->linear, q), *worker_curvature = close_rows(q->worker_curvature, q);
    bool *use_bound = calloc(config.bounds.count, sizeof *use_bound);
    snprintf(name, sizeof name, "%.100s-worst", config.name);
    set_problem(&config, c, linear, worker_curvature);
    config.name = name;
    config.steps = hsgd_hunt_steps(space->setting, quarry, q);
    config.use_bound = use_bound;
    if (linear && use_bound && (worker_curvature || !q->worker_curvature)) {
        for (size_t i = 0; i < config.bounds.count; i++)
            use_bound[i] = space->config->use_bound[i] || config.bounds.bound[i] == quarry->bound;
        text = hsgd_config_to_json(&config);
    }
    free(linear);
    free(worker_curvature);
    free(use_bound);
    return text;
}

/* Everything that is said of the worst problem comes from its text, read as any other configuration. */
static hsgd_status measure_all(hsgd_hunt *hunt, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                               hsgd_error *err)
{
    hsgd_hunted again;
    hsgd_status status = hsgd_hunt_find_constants(&hunt->constants, setting, c, setting->steps, err);
    if (!status)
        status = hsgd_hunt_measure(&again, setting, c, &hunt->quarry, &hunt->config->hunt, err);
    const hsgd_bound_list *bounds = &hunt->config->bounds;
    for (size_t i = 0; i < hsgd_num_quarries(bounds) && !status; i++) {
        hsgd_quarry quarry = hsgd_quarry_at(bounds, i);
        status = hsgd_hunt_measure(&hunt->other[i], setting, c, &quarry, NULL, err);
    }
    if (status)
        return status;
    double allowed = 1e-9 + again.rounding;
    hunt->confirmed = again.ratio > 0 && fabs(again.ratio - hunt->found.ratio) <= allowed * hunt->found.ratio;
    hunt->found = again;
    hunt->violated = hunt->confirmed && hsgd_hunted_violates(&again);
    return HSGD_OK;
}

static hsgd_status read_again(hsgd_hunt *hunt, const char *worst, hsgd_error *err)
{
    hsgd_config config;
    hsgd_problem problem;
    hsgd_hunt_setting setting;
    hsgd_status status = hsgd_config_parse(&config, worst, strlen(worst), "worst.json", err);
    if (status)
        return status;
    status = hsgd_problem_build(&problem, &config, "worst.json", err);
    if (!status) {
        status = hsgd_hunt_setting_init(&setting, &config, &problem, err);
        if (!status) {
            const hsgd_hunt_case c = {problem.quadratic, problem.initial, config.step_size};
            status = measure_all(hunt, &setting, &c, err);
            hsgd_hunt_setting_free(&setting);
        }
        hsgd_problem_free(&problem);
    }
    hsgd_config_free(&config);
    return status;
}

static hsgd_status conclude(hsgd_hunt *hunt, const rounds *r, hsgd_error *err)
{
    hsgd_hunt_case c;
    hsgd_status status =
        hsgd_hunt_case_init(&c, r->space->dim, r->space->problem->quadratic.num_workers, r->space->own, err);
    if (status)
        return status;
    if (r->best.value == -INFINITY) /* nothing applies anywhere: say why at one place */
        memset(r->best.point, 0, r->space->num_parameters * sizeof *r->best.point);
    hsgd_hunt_space_case(&c, r->space, &r->best.anchor, r->best.point);
    status = hsgd_hunt_measure(&hunt->found, r->space->setting, &c, &hunt->quarry, &hunt->config->hunt, err);
    hunt->worst = write_config(&c, r->space, &hunt->quarry);
    if (!status && !hunt->worst)
        status = hsgd_fail_memory(err, "the worst problem");
    hsgd_hunt_case_free(&c);
    return status ? status : read_again(hunt, hunt->worst, err);
}

/* ---- all of it ---- */

static hsgd_status search_space(hsgd_hunt *hunt, const hsgd_hunt_space *space, const hsgd_hunt_options *options,
                                hsgd_error *err)
{
    rounds r;
    hsgd_status status = rounds_init(&r, hunt, space, options, err);
    hunt->num_parameters = space->num_parameters;
    hunt->dimension = space->dim;
    if (!status && !space->num_parameters)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "hunt.free: nothing of it changes this problem and this bound");
    if (!status)
        status = run_rounds(&r, err);
    if (!status)
        status = conclude(hunt, &r, err);
    rounds_free(&r);
    return status;
}

static hsgd_status begin(hsgd_hunt *out, const hsgd_config *config, hsgd_error *err)
{
    *out = (hsgd_hunt){.config = config, .weakened = hsgd_hunt_is_weakened(&config->hunt)};
    if (!hsgd_quarry_find(&out->quarry, &config->bounds, config->hunt.bound))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "hunt.bound: \"%s\" is not known", config->hunt.bound);
    out->other = calloc(hsgd_num_quarries(&config->bounds), sizeof *out->other);
    return out->other ? HSGD_OK : hsgd_fail_memory(err, "the bounds of the hunt");
}

hsgd_status hsgd_hunt_again(hsgd_hunt *out, const hsgd_config *config, const char *worst, hsgd_error *err)
{
    hsgd_status status = begin(out, config, err);
    if (!status)
        status = read_again(out, worst, err);
    if (status)
        hsgd_hunt_free(out);
    return status;
}

hsgd_status hsgd_hunt_run(hsgd_hunt *out, const hsgd_config *config, const hsgd_problem *problem,
                          const hsgd_hunt_options *options, hsgd_error *err)
{
    hsgd_hunt_setting setting;
    hsgd_hunt_space space;
    hsgd_threads_setup();
    hsgd_status status = begin(out, config, err);
    if (status)
        return status;
    status = hsgd_hunt_setting_init(&setting, config, problem, err);
    if (!status) {
        status = hsgd_hunt_space_init(&space, config, problem, &setting, &out->quarry, err);
        if (!status)
            status = search_space(out, &space, options, err);
        hsgd_hunt_setting_free(&setting);
    }
    if (status)
        hsgd_hunt_free(out);
    return status;
}

void hsgd_hunt_free(hsgd_hunt *hunt)
{
    free(hunt->start);
    free(hunt->worst);
    free(hunt->other);
    *hunt = (hsgd_hunt){0};
}
