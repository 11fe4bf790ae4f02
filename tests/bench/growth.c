/* placeholder */
#include "tests/bench/bench.h"
int bench_growth(const bench_options *options)
{
    (void)options;
    return 0;
}
