/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Harnesses that feed bytes to the parsers: libFuzzer invents the bytes (fuzzer.c, `make fuzz`), and `make check` repeats
 * what it once found (test_replay.c).
 *
 * A harness reads its bytes as the program would read a file, and looks at what comes out: whatever was accepted keeps the
 * promises of its header, whatever was refused has one clear line. A promise that is broken aborts. */
#ifndef HSGD_TESTS_FUZZ_H
#define HSGD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

typedef struct fuzz_target {
    const char *name; /* of its folder in tests/fuzz/corpus */
    void (*run)(const uint8_t *data, size_t size);
    size_t longest; /* bytes that the fuzzer should try at most; longer ones find little more and take time */
} fuzz_target;

extern const fuzz_target fuzz_targets[];
extern const size_t fuzz_num_targets;

/* NULL: none of this name. */
const fuzz_target *fuzz_find(const char *name);

void fuzz_config(const uint8_t *data, size_t size);
void fuzz_sweep(const uint8_t *data, size_t size);
void fuzz_study(const uint8_t *data, size_t size);
void fuzz_params(const uint8_t *data, size_t size);
void fuzz_expression(const uint8_t *data, size_t size);
void fuzz_libsvm(const uint8_t *data, size_t size);
void fuzz_csv(const uint8_t *data, size_t size);
void fuzz_idx(const uint8_t *data, size_t size);
void fuzz_cifar(const uint8_t *data, size_t size);
void fuzz_gzip(const uint8_t *data, size_t size);
void fuzz_jpeg(const uint8_t *data, size_t size);
void fuzz_leaf(const uint8_t *data, size_t size);
void fuzz_series(const uint8_t *data, size_t size);
void fuzz_plot(const uint8_t *data, size_t size);
void fuzz_checkpoint(const uint8_t *data, size_t size);
void fuzz_trace(const uint8_t *data, size_t size);
void fuzz_certificate(const uint8_t *data, size_t size);

/* The path of a file in memory that holds these bytes, until the next call with this slot. */
enum { FUZZ_SLOTS = 2 };
const char *fuzz_file(size_t slot, const uint8_t *data, size_t size);

/* A folder in memory, the same for every call; it goes with the program. */
const char *fuzz_folder(void);

/* A file of this name in it. */
void fuzz_write(const char *name, const uint8_t *data, size_t size);

/* Stop the program unless the condition holds, so that the fuzzer keeps the bytes. */
#define fuzz_check(condition) fuzz_require((condition), #condition, __FILE__, __LINE__)
void fuzz_require(bool condition, const char *text, const char *file, int line);

/* True for success. A refusal must have a status that bytes can cause, and a message of one printable line. */
bool fuzz_accepted(hsgd_status status, const hsgd_error *err);

/* What analysis/dataset.h says of every data set; then free it. */
void fuzz_check_dataset(hsgd_dataset *data);

#endif
