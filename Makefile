# SPDX-License-Identifier: GPL-3.0-or-later
# hsgd: build, test, install. `make help` lists the targets.
# Packages are looked up when a recipe runs, not when this file is read, so that `make deps check` works in one call.

VERSION   := 0.1.0
PREFIX    ?= /usr/local
BUILD     ?= build
CC        ?= cc
CFLAGS    ?= -O2 -g
CLANG_FORMAT ?= clang-format
# Where data sets are looked for, and downloaded to.
export HSGD_DATA_DIR ?= $(abspath $(or $(wildcard ../shared/data),data))

PACKAGES  := build-essential pkg-config libgsl-dev libcjson-dev librandom123-dev libopenblas-dev libgmp-dev zlib1g-dev \
             gnuplot-nox libyajl-dev libexpat1-dev nettle-dev libmuparser-dev libdsdp-dev curl unzip python3 $(if $(filter 1,$(NO_DNNL)),,libdnnl-dev) \
             $(if $(filter 1,$(NO_JPEG)),,libjpeg-dev) $(if $(filter 1,$(NO_MPI)),,libopenmpi-dev openmpi-bin)
# What only tests need; `make deps check` installs it, `make deps demo` does not.
CHECK_PACKAGES := libcmocka-dev coinor-csdp mandoc groff-base texlive-latex-base texlive-latex-recommended texlive-pictures \
             iproute2 clang libclang-rt-dev libomp-dev clang-tidy clang-format cppcheck shellcheck pyflakes3 valgrind chromium chromium-driver python3-selenium jupyter-nbconvert python3-ipykernel

# What only `make gallery` needs.
GALLERY_PACKAGES := pngquant optipng

# Off switches: make OPENMP=0, make OPENBLAS=0 (GSL's own BLAS instead), make VECTOR=0 (no AVX code; results are the same),
# make NO_DNNL=1 (no convolutional networks; so it is where oneDNN is not there),
# make NO_JPEG=1 (no JPEG files, in the same way), make NO_MPI=1 (one process only, in the same way), make SAN=1 (address and undefined
# sanitizers) or SAN=thread, SAN=leak, what the compiler calls them.
# What is not given is looked for when a recipe first asks; the answer is kept.
OPENMP    ?= 1
OPENBLAS  ?= $(eval OPENBLAS := $(shell pkg-config --exists openblas && echo 1 || echo 0))$(OPENBLAS)
VECTOR    ?= $(eval VECTOR := $(if $(X86_32),0,$(if $(filter x86_64,$(shell uname -m)),1,0)))$(VECTOR)
# On 32-bit x86 numbers in the old registers are rounded twice, and files are small unless asked otherwise.
X86_32    := $(or $(findstring -m32,$(CC) $(CFLAGS)),$(filter i%86,$(shell uname -m)))
SAN       ?= 0
NO_DNNL   ?= 0
NO_JPEG   ?= 0
NO_MPI    ?= 0
# (A number sign by name: how it is written inside of a function depends on make's version.)
HASH      := \#
, := ,
DNNL       = $(eval DNNL := $(if $(filter 1,$(NO_DNNL)),0,$(shell echo '$(HASH)include <dnnl.h>' | \
             $(CC) -E - >/dev/null 2>&1 && echo 1 || echo 0)))$(DNNL)
JPEG       = $(eval JPEG := $(if $(filter 1,$(NO_JPEG)),0,$(shell printf '$(HASH)include <stdio.h>\n$(HASH)include <jpeglib.h>\n' | \
             $(CC) -E - >/dev/null 2>&1 && echo 1 || echo 0)))$(JPEG)
# Open MPI where it is there, else MPICH; what pkg-config says of it.
MPI_NAME   = $(eval MPI_NAME := $(if $(filter 1,$(NO_MPI)),,$(shell for name in ompi-c mpich mpi; do \
             pkg-config --exists $$name 2>/dev/null && { echo $$name; break; }; done)))$(MPI_NAME)

WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
PKGS       = gsl libcjson gmp zlib yajl expat nettle muparser $(if $(filter 1,$(OPENBLAS)),openblas)
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(filter-out gsl,$(PKGS))))$(PKG_LIBS)
LIB_FLAGS  = $(PKG_LIBS) \
             $(if $(DSDP),,-ldsdp) -lgsl $(if $(filter 1,$(OPENBLAS)),,-lgslcblas) $(DNNL_LIBS) $(JPEG_LIBS) $(MPI_LIBS) -lm
# The semidefinite solver goes on with memory that it did not get. Its static library is put together with the file that knows it,
# and allocates by ours (bounds/sdp_memory.c). `make DSDP=`, or without OpenBLAS, which has the LAPACK for it: the shared one as it is.
DSDP       = $(eval DSDP := $(if $(filter 1,$(OPENBLAS)),$(wildcard $(shell $(CC) -print-file-name=libdsdp.a))))$(DSDP)
DSDP_NAMES := malloc=hsgd_sdp_malloc calloc=hsgd_sdp_calloc free=hsgd_sdp_release
DNNL_LIBS  = $(if $(filter 1,$(DNNL)),-ldnnl $(if $(filter 1,$(OPENMP)),,-lgomp))
JPEG_LIBS  = $(if $(filter 1,$(JPEG)),-ljpeg)
MPI_LIBS   = $(eval MPI_LIBS := $(if $(MPI_NAME),$(shell pkg-config --libs $(MPI_NAME))))$(MPI_LIBS)
MPI_CFLAGS = $(eval MPI_CFLAGS := $(if $(MPI_NAME),$(shell pkg-config --cflags $(MPI_NAME))))$(MPI_CFLAGS)
# Without OpenMP some variables are used in its clauses only.
# No fused multiply-add: results are the same to the bit, whatever the compiler and its flags. (OpenBLAS, oneDNN and libm have
# their own ways on different processors.)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(if $(X86_32),-msse2 -mfpmath=sse -D_FILE_OFFSET_BITS=64) $(WARNINGS) $(CFLAGS) -ffp-contract=off -fPIC -I. -I$(BUILD) -DHSGD_VERSION='"$(VERSION)"' \
             $(PKG_CFLAGS) $(if $(filter 1,$(OPENMP)),-fopenmp,-Wno-unknown-pragmas -Wno-unused-variable) \
             $(if $(filter 1,$(VECTOR)),-DHSGD_VECTOR_PATHS) $(if $(filter 1,$(DNNL)),-DHSGD_DNNL) $(if $(filter 1,$(JPEG)),-DHSGD_JPEG) $(if $(MPI_NAME),-DHSGD_MPI)
ALL_LDFLAGS = $(LDFLAGS) $(if $(filter 1,$(OPENMP)),-fopenmp)
ifneq ($(SAN),0)
BUILD     := build/san
SANITIZE  := -fsanitize=$(if $(filter 1,$(SAN)),address$(,)undefined,$(SAN)) -fno-sanitize-recover=all
CFLAGS    := -O1 -g $(SANITIZE) -fno-omit-frame-pointer
endif

LAYERS    := analysis bounds plots experiments
LIB_SRC   := $(filter-out experiments/main.c,$(wildcard $(LAYERS:%=%/*.c)))
# Kernels are compiled once per instruction set and chosen at run time (analysis/vector_private.h).
PATHS     := portable $(if $(filter 1,$(VECTOR)),avx2 avx512)
FLAGS_avx2   := -mavx2
FLAGS_avx512 := -mavx512f -mavx512dq -mavx512bw -mavx512vl
KERNELS   := $(filter %_kernels.c,$(LIB_SRC))
KERNEL_OBJ = $(foreach path,$(PATHS),$(KERNELS:%.c=$(BUILD)/%.$(path).o))
SOURCE_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(KERNELS),$(LIB_SRC)))
LIB_OBJ    = $(if $(DSDP),$(SOURCE_OBJ:%/sdp_dsdp.o=%/sdp_solver.o),$(SOURCE_OBJ)) $(KERNEL_OBJ)
HEADERS   := $(filter-out %_private.h,$(wildcard $(LAYERS:%=%/*.h)))
TEST_SRC  := $(wildcard tests/analysis/*.c tests/bounds/*.c tests/plots/*.c tests/experiments/*.c)
TESTS      = $(TEST_SRC:%.c=$(BUILD)/%) $(REPLAY)
TEST_SCRIPTS := $(wildcard tests/*/test_*.sh)
# The harnesses of the parsers, with the main program of the replay and with that of the fuzzer.
FUZZ_SRC  := $(filter-out tests/fuzz/test_replay.c tests/fuzz/fuzzer.c,$(wildcard tests/fuzz/*.c))
FUZZ_WRAP := -Wl,--wrap=hsgd_figure_render # gnuplot would take all the time
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter tests/fuzz/fuzz_%.c,$(FUZZ_SRC)))
REPLAY     = $(BUILD)/tests/fuzz/test_replay
REPLAY_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(FUZZ_SRC) tests/fuzz/test_replay.c)
FUZZER_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(FUZZ_SRC) tests/fuzz/fuzzer.c)
BENCH      = $(BUILD)/tests/bench/bench
BENCH_OBJ  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c))

# Recipes print one short line each; V=1 shows the commands.
V         ?= 0
Q         := $(if $(filter 1,$(V)),,@)
SAY        = @echo "  $(1)" $(2)

.DELETE_ON_ERROR:
.PHONY: all deps demo figures gallery data check coverage test kills faults mutants matrix matrix-quick lint lint-deep notebooks bench bench-growth fuzz fuzzers fuzz-smoke fuzz-campaign check-deps install uninstall format clean help FORCE

all: $(BUILD)/hsgd $(BUILD)/libhsgd.a $(BUILD)/libhsgd.so $(BUILD)/hsgd.1 $(BUILD)/hsgd.bash ## build the program, the libraries, the manual page and the completion

# With `make deps X`, X waits until the packages are there, also under -j.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(BUILD)/flags check-deps: | deps
endif

deps: ## install the Debian packages that are missing
	@.ci/install-packages $(PACKAGES) $(if $(filter check test mutants notebooks matrix matrix-quick lint lint-deep,$(MAKECMDGOALS)),$(CHECK_PACKAGES)) \
	  $(if $(filter gallery,$(MAKECMDGOALS)),$(GALLERY_PACKAGES))

# Other flags, another compiler or other files than last time: everything is made again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(FLAGS_avx2) $(FLAGS_avx512) $(ALL_LDFLAGS) $(LIB_FLAGS) $(LIB_SRC)' > $@.now
	@cmp -s $@.now $@ && rm $@.now || mv $@.now $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call SAY,CC  ,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The files that know MPI.
$(BUILD)/experiments/team_mpi.o $(BUILD)/experiments/train_mpi.o: ALL_CFLAGS += $(MPI_CFLAGS)

$(KERNEL_OBJ): ALL_CFLAGS += $(KERNEL_CFLAGS)

define kernel_rule
$(BUILD)/%_kernels.$(1).o: %_kernels.c $(BUILD)/flags
	$(call SAY,CC  ,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(ALL_CFLAGS) $(FLAGS_$(1)) -DHSGD_VECTOR_PATH=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach path,$(PATHS),$(eval $(call kernel_rule,$(path))))

# Nothing of the solver is seen from outside, where it may be another copy.
$(BUILD)/bounds/sdp_solver.o: $(BUILD)/bounds/sdp_dsdp.o
	$(call SAY,LINK,$@)
	$(Q)objcopy $(DSDP_NAMES:%=--redefine-sym %) $(DSDP) $@.a
	$(Q)$(CC) $(filter -m%,$(CFLAGS)) -r -nostdlib -o $@.all $< $@.a
	$(Q)objcopy --wildcard --keep-global-symbol='hsgd_*' $@.all $@
	@rm $@.a $@.all

# Compiled in: the default experiment, so that the first run needs no file, the schema for the manual page, that of results
# for hsgd check, and the style of the report page.
EMBEDDED  := $(BUILD)/demo_bytes.h $(BUILD)/schema_bytes.h $(BUILD)/results_schema_bytes.h $(BUILD)/report_bytes.h
$(BUILD)/experiments/embedded.o: $(EMBEDDED)
$(BUILD)/demo_bytes.h: experiments/demo.json
$(BUILD)/schema_bytes.h: experiments/config.schema.json
$(BUILD)/results_schema_bytes.h: experiments/results.schema.json
$(BUILD)/report_bytes.h: experiments/report.css
$(EMBEDDED):
	@mkdir -p $(@D)
	@od -An -v -td1 $< | sed 's/ *\(-*[0-9][0-9]*\)/\1,/g' > $@.now
	@mv $@.now $@

# What result.json says about the build: the commit, where this is a checkout, and the flags.
$(BUILD)/experiments/built.o: $(BUILD)/built.h
$(BUILD)/built.h: FORCE
	@mkdir -p $(@D)
	@{ echo '#define HSGD_COMMIT "'"$$(git --git-dir=.git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null)"'"'; \
	   echo '#define HSGD_COMPILER_FLAGS "$(subst ",\",$(CFLAGS))"'; } > $@.now
	@cmp -s $@.now $@ && rm $@.now || mv $@.now $@

$(BUILD)/libhsgd.a: $(LIB_OBJ)
	$(call SAY,AR  ,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/libhsgd.so: $(LIB_OBJ)
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,libhsgd.so.0 -o $@ $^ $(LIB_FLAGS)

$(BUILD)/hsgd: $(BUILD)/experiments/main.o $(BUILD)/libhsgd.a
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_FLAGS)

# The program describes itself, from the tables that it reads its arguments with.
$(BUILD)/hsgd.1: $(BUILD)/hsgd
	$(Q)$< --man-page > $@
$(BUILD)/hsgd.bash: $(BUILD)/hsgd
	$(Q)$< --bash-completion > $@

# It stands between hsgd and the system (tests/faults).
FAILING_CALLS = $(BUILD)/tests/faults/failing_calls.so

$(FAILING_CALLS): tests/faults/failing_calls.c $(BUILD)/flags
	$(call SAY,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fPIC -shared -o $@ $< -ldl

# They stand between hsgd and the engine, the disk, files, the allocator.
TEST_FLAGS_test_same_bits := -Wl,--wrap=hsgd_simulate,--wrap=fsync
TEST_FLAGS_test_series := -Wl,--wrap=hsgd_open_stream
TEST_FLAGS_test_text_stream := -Wl,--wrap=malloc,--wrap=realloc
TEST_FLAGS_test_short_memory := $(foreach name,malloc calloc realloc aligned_alloc strdup strndup asprintf free fsync,-Wl$(,)--wrap=$(name))

# Their objects stay: a deliberate error in the sources does not compile its test again.
$(TEST_SRC:%.c=$(BUILD)/%): %: %.o $(BUILD)/libhsgd.a
	$(call SAY,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(TEST_FLAGS_$(*F)) -o $@ $< $(BUILD)/libhsgd.a $(LIB_FLAGS) -lcmocka

$(BENCH): $(BENCH_OBJ) $(BUILD)/libhsgd.a
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIB_FLAGS)

$(REPLAY): $(REPLAY_OBJ) $(BUILD)/libhsgd.a
	$(call SAY,TEST,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FUZZ_WRAP) -Wl,-Map,$@.map -o $@ $^ $(LIB_FLAGS) -lcmocka

demo: $(BUILD)/hsgd ## run the built-in experiment; figures land in build/demo
	$(BUILD)/hsgd run --output $(BUILD)/demo

PAPER     := $(wildcard experiments/paper-*.json)
GALLERY   := $(patsubst %,experiments/%.json,demo hunt mnist-time phase plan rate worst-case worst-case-step-size)

figures: $(BUILD)/hsgd ## the figures of the paper: run experiments/paper-*.json into build/figures (about a minute)
	@HSGD_PROGRAM=$(BUILD)/hsgd experiments/make-figures $(BUILD)/figures $(PAPER)

gallery: figures ## the pictures of the README, from these and eight other files, into plots/gallery (needs MNIST's test set)
	@HSGD_PROGRAM=$(BUILD)/hsgd experiments/make-figures $(BUILD)/figures $(GALLERY)
	@HSGD_PROGRAM=$(BUILD)/hsgd plots/make-gallery $(BUILD)/figures

test: check

check: check-deps all $(TESTS) $(BENCH) $(FAILING_CALLS) ## build and run all tests
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) HSGD_BUILD=$(BUILD) SANITIZE='$(SANITIZE)' tests/run-all $(TESTS) $(TEST_SCRIPTS)

# Counted atomically, because threads share the counters, but not in the inner loops of kernels, where it would take minutes. Of
# the scripts, those that test this build, not another one.
COVERAGE_FLAGS := -O1 -g --coverage -fprofile-update=atomic
COVERAGE_KERNEL_FLAGS := -O2 -fprofile-update=single
COVERAGE_SCRIPTS := $(patsubst %,tests/experiments/test_%.sh,checkpoint completion manual pep_certificate plugin)

coverage: ## lines and branches that the tests run, per folder and file; fails where analysis/ or bounds/ have a line unaccounted for
	@if [ -d $(BUILD)/coverage ]; then find $(BUILD)/coverage -name '*.gcda' -delete; fi
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS='$(COVERAGE_FLAGS)' SAN=0 \
	  KERNEL_CFLAGS='$(COVERAGE_KERNEL_FLAGS)' TEST_SCRIPTS='$(COVERAGE_SCRIPTS)' check
	@tests/coverage $(BUILD)/coverage

KILLS     := 200

# Where writing to the disk takes no time.
kills: export TMPDIR := $(or $(shell test -w /dev/shm && echo /dev/shm),$(TMPDIR),/tmp)
kills: all $(FAILING_CALLS) ## kill it at KILLS=200 random moments, and let every call of the system fail in turn (some 15 minutes)
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) tests/faults/kills.py $(KILLS) 1
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) tests/faults/streams.py
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) tests/faults/full_disk.py
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) tests/faults/failing_calls.py $(FAILING_CALLS)

data: ## download a data set into HSGD_DATA_DIR (DATASET=mnist; without it: the list)
	@experiments/fetch-data "$(DATASET)"

# With nothing but the installed program on PATH, as for a reader.
notebooks: all ## execute the notebooks in place (two at a time, some 10 s); outputs that changed are to be committed
	$(Q)$(MAKE) -s install DESTDIR= PREFIX=$(abspath $(BUILD)/notebooks)
	$(Q)PATH="$(abspath $(BUILD)/notebooks)/bin:$$PATH" CFLAGS='$(SANITIZE)' OMP_WAIT_POLICY=passive \
	  tests/notebooks/execute.py notebooks/*.ipynb

RUN_BENCH  = $(BENCH) --folder $(BUILD)/bench --program $(BUILD)/hsgd $(BENCH_ARGS)

bench: $(BENCH) $(BUILD)/hsgd ## speed next to NumPy and the machine's limits (BENCH_ARGS='--workloads W1,W2 --runs 3'; --help)
	@mkdir -p $(BUILD)/bench
	$(RUN_BENCH)

bench-growth: $(BENCH) ## time and memory against n, d, T and M, with fitted slopes; table and figure in build/bench
	@mkdir -p $(BUILD)/bench
	$(RUN_BENCH) --growth

# The parsers, and what they need of the library (the link of the replay says what), once more under clang's sanitizers and
# with counters of the branches taken. What is not needed to read files stays out: it only takes time to build.
FUZZ_CLANG ?= clang
FUZZ_FLAGS := -O1 -gline-tables-only -fno-omit-frame-pointer -fno-sanitize-recover=all \
             -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow
FUZZ_PARTS  = $(wildcard $(LAYERS:%=%/*_missing.c) $(foreach part,$(patsubst sdp_solver,sdp_dsdp,$(shell \
             sed -n 's:^.*libhsgd\.a(\([A-Za-z_]*\)[a-z0-9.]*\.o).*:\1:p' $(REPLAY).map | sort -u)),$(LAYERS:%=%/$(part).c)))

# Not all of them parse: kernels and figures are in the way only, and clang takes minutes to watch over the kernels.
$(BUILD)/plots/%.o: ALL_CFLAGS += $(UNWATCHED)
$(BUILD)/%_kernels.portable.o: ALL_CFLAGS += $(UNWATCHED)

fuzz: $(REPLAY) ## the fuzzers of the parsers, into BUILD/fuzz (needs clang)
	@$(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory BUILD=$(BUILD)/fuzz CC='$(FUZZ_CLANG)' CFLAGS='$(FUZZ_FLAGS)' OPENMP=0 VECTOR=0 NO_DNNL=1 \
	  NO_MPI=1 DSDP= SAN=0 UNWATCHED='-O0 -fno-sanitize=all' LIB_SRC='$(FUZZ_PARTS)' fuzzers

fuzzers: $(BUILD)/fuzzer
	@for name in $(FUZZ_NAMES); do ln -sf fuzzer $(BUILD)/$$name || exit 1; done

$(BUILD)/fuzzer: $(FUZZER_OBJ) $(BUILD)/libhsgd.a
	$(call SAY,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer,address,undefined $(FUZZ_WRAP) -o $@ $^ $(LIB_FLAGS)

SECONDS   := 60

fuzz-smoke: fuzz ## each of them for SECONDS=60, one per processor, from tests/fuzz/corpus and finds; fails at the first find
	@HSGD_BUILD=$(BUILD) tests/fuzz/run-smoke $(SECONDS) $(FUZZ_NAMES)

MINUTES   := 60

fuzz-campaign: fuzz ## until each of them has had MINUTES=60 of processor time in all; goes on where it was stopped
	@HSGD_BUILD=$(BUILD) tests/fuzz/run-campaign $(MINUTES) $(FUZZ_NAMES)

faults: $(BUILD)/hsgd ## every command with an allocation that fails, at every place in turn (FAULTS='--only run --every'; --help)
	@HSGD_PROGRAM=$(abspath $(BUILD)/hsgd) tests/faults/run-faults $(FAULTS)

mutants: all $(TESTS) ## one deliberate error at a time: each must fail its test (ONLY=TEXT: those with this text; PART=2/4: every fourth)
	@HSGD_BUILD=$(BUILD) tests/run-mutants "$(ONLY)" "$(PART)"

ONLY      :=

matrix: ## build and test in many ways, one after the other (ONLY=NAME,NAME: these of tests/matrix/variants.txt)
	@HSGD_BUILD=$(BUILD) tests/matrix/run $(ONLY)

matrix-quick: ## the three of them that continuous integration tries
	@HSGD_BUILD=$(BUILD) tests/matrix/run quick

# The flags without the version, whose quotes are the shell's. Embedded files are made before.
LINT       = CLANG_FORMAT='$(CLANG_FORMAT)' CFLAGS='$(filter-out -DHSGD_VERSION=%,$(ALL_CFLAGS)) $(MPI_CFLAGS)' tests/lint/run

lint: $(EMBEDDED) $(BUILD)/built.h ## clang-format, clang-tidy, cppcheck, shellcheck and pyflakes: nothing to say
	@$(LINT)

lint-deep: $(EMBEDDED) $(BUILD)/built.h ## what clang's analyzer finds: nothing that is not explained (long)
	@$(LINT) --deep

check-deps: ## fail if a layer includes one that it must not know
	@tests/check-layers

MAN_PAGE   = $(PREFIX)/share/man/man1/hsgd.1
COMPLETION = $(PREFIX)/share/bash-completion/completions/hsgd

install: all ## install program, libraries, headers, pkg-config file, manual page, completion and experiments under PREFIX
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/hsgd
	$(Q)install -m 755 $(BUILD)/hsgd $(DESTDIR)$(PREFIX)/bin/hsgd
	$(Q)install -m 644 $(BUILD)/libhsgd.a $(DESTDIR)$(PREFIX)/lib/libhsgd.a
	$(Q)install -m 755 $(BUILD)/libhsgd.so $(DESTDIR)$(PREFIX)/lib/libhsgd.so.$(VERSION)
	$(Q)ln -sf libhsgd.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/libhsgd.so.0
	$(Q)ln -sf libhsgd.so.0 $(DESTDIR)$(PREFIX)/lib/libhsgd.so
	$(Q)for header in $(HEADERS); do install -D -m 644 $$header $(DESTDIR)$(PREFIX)/include/hsgd/$$header || exit 1; done
	$(Q)mv $(DESTDIR)$(PREFIX)/include/hsgd/experiments/hsgd.h $(DESTDIR)$(PREFIX)/include/hsgd/hsgd.h
	$(Q)install -m 644 experiments/*.json $(DESTDIR)$(PREFIX)/share/hsgd
	$(Q)install -d $(DESTDIR)$(PREFIX)/share/hsgd/examples
	$(Q)install -m 644 experiments/examples/*.c experiments/examples/*.json experiments/examples/*.slurm $(DESTDIR)$(PREFIX)/share/hsgd/examples
	$(Q)install -D -m 644 $(BUILD)/hsgd.1 $(DESTDIR)$(MAN_PAGE)
	$(Q)install -D -m 644 $(BUILD)/hsgd.bash $(DESTDIR)$(COMPLETION)
	@{ echo 'prefix=$(PREFIX)'; echo 'Name: hsgd'; echo 'Description: Verify the convergence theory of hierarchical SGD'; \
	   echo 'Version: $(VERSION)'; echo 'Requires.private: libcjson gmp zlib yajl expat nettle muparser'; echo 'Requires: gsl'; \
	   echo 'Cflags: -I$${prefix}/include/hsgd'; echo 'Libs: -L$${prefix}/lib -lhsgd'; \
	   echo 'Libs.private: $(if $(DSDP),,-ldsdp) $(if $(filter 1,$(OPENBLAS)),-lopenblas) $(DNNL_LIBS) $(JPEG_LIBS) $(MPI_LIBS) $(if $(filter 1,$(OPENMP)),-fopenmp) -lm'; \
	 } > $(DESTDIR)$(PREFIX)/lib/pkgconfig/hsgd.pc

uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(PREFIX)/bin/hsgd $(DESTDIR)$(PREFIX)/lib/libhsgd.a $(DESTDIR)$(PREFIX)/lib/libhsgd.so* \
	  $(DESTDIR)$(PREFIX)/lib/pkgconfig/hsgd.pc $(DESTDIR)$(PREFIX)/include/hsgd $(DESTDIR)$(PREFIX)/share/hsgd \
	  $(DESTDIR)$(MAN_PAGE) $(DESTDIR)$(COMPLETION)

format: ## apply the house style
	$(CLANG_FORMAT) -i $(wildcard $(LAYERS:%=%/*.[ch]) experiments/examples/*.c tests/*.h tests/*/*.[ch] tests/*/*/*.c)

clean: ## remove everything that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo '  switches: OPENMP=0  OPENBLAS=0  VECTOR=0  NO_DNNL=1  NO_JPEG=1  NO_MPI=1  SAN=1  V=1  PREFIX=/usr/local  BUILD=build'

-include $(LIB_OBJ:.o=.d) $(BUILD)/bounds/sdp_dsdp.d $(BUILD)/experiments/main.d $(TESTS:=.d) $(REPLAY_OBJ:.o=.d) $(FUZZER_OBJ:.o=.d) $(BENCH_OBJ:.o=.d)
