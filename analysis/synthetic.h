/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The synthetic(alpha, beta) data of Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated optimization in heterogeneous
 * networks", MLSys 2020, section 5.1: users whose models and features differ by as much as one likes. */
#ifndef HSGD_ANALYSIS_SYNTHETIC_H
#define HSGD_ANALYSIS_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* User k has a label model W_k (features, classes), b_k (classes), entries normal(u_k, 1), u_k normal(0, alpha); features
 * x normal(v_k, Sigma), Sigma diagonal with Sigma_jj = j^-1.2 (j from 1), entries of v_k normal(B_k, 1), B_k normal(0,
 * beta); and the labels y = argmax softmax(x W_k + b_k). It has 50 + floor(exp(4 + 2 z)) samples, z standard normal. The
 * second argument of normal is a standard deviation, as in the program that the authors published; their text leaves open
 * whether alpha and beta are variances, which is the same for 0 and 1. */
typedef struct hsgd_synthetic_options {
    double alpha;       /* 0..1e100: how different the users' models are */
    double beta;        /* 0..1e100: how different their features are */
    bool iid;           /* one W and b, standard normal, for all users, and v_k = 0; alpha and beta are 0 */
    size_t num_users;   /* >= 1 */
    size_t features;    /* >= 1; 60 in the paper */
    size_t classes;     /* >= 2; 10 in the paper */
    size_t max_samples; /* >= 1: no user has more, which the log-normal law would allow it; no limit in the paper */
    uint64_t seed;
} hsgd_synthetic_options;

/* The defaults: alpha and beta 1, not iid, 1 user, 60 features, 10 classes, at most 100000 samples, seed 1. */
void hsgd_synthetic_defaults(hsgd_synthetic_options *options);

/* Generate the data, dense, with their users in order. class_value is 0 .. classes - 1, whether or not each occurs. A
 * user's samples depend on its number and the options other than num_users, nothing else. */
hsgd_status hsgd_synthetic_generate(hsgd_dataset *out, const hsgd_synthetic_options *options, hsgd_error *err);

/* What labels user k's samples: weight (features, classes), bias (classes). */
void hsgd_synthetic_model(double *weight, double *bias, const hsgd_synthetic_options *options, size_t user);

#ifdef __cplusplus
}
#endif

#endif
