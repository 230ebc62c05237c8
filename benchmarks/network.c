/* Training of the 2-64-1 network as a C programmer writes it: the yardstick of the compiled Python
   loop.  Same parameters, same batches and same arithmetic as qlearn_core.neural, but sums may be
   taken in any order: the parameters agree to single precision.                               */

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { H = 64, NUM = 4 * H + 1, MOST = 256 }; /* hidden units, parameters, samples at most */

/* numpy/random/bitgen.h */
typedef struct {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
} bitgen;

typedef struct {
    int64_t num_samples, num_actions, batch_size, num_updates, period; /* 0: no target network */
    int64_t adam;
    double alpha;
    const float *inputs, *rewards, *weights; /* (N, 2), (N,), (N,): one successor each */
    const uint32_t *successors;              /* (N,) first sample of the next state */
} problem;

/* theta: weights of the state, of the action, biases, output weights, output bias. */
static float forward(const float *theta, const float *x, float *hidden) {
    float q = theta[4 * H];
    for (int j = 0; j < H; j++) {
        float z = theta[j] * x[0] + theta[H + j] * x[1] + theta[2 * H + j];
        hidden[j] = z > 0 ? z : 0;
        q += theta[3 * H + j] * hidden[j];
    }
    return q;
}

static void backward(const float *theta, const float *x, const float *hidden, float d,
                     float *gradient) {
    for (int j = 0; j < H; j++) {
        float dz = hidden[j] > 0 ? d * theta[3 * H + j] : 0;
        gradient[j] += dz * x[0];
        gradient[H + j] += dz * x[1];
        gradient[2 * H + j] += dz;
        gradient[3 * H + j] += d * hidden[j];
    }
    gradient[4 * H] += d;
}

void train(const problem *p, float *theta, bitgen *rng) {
    static _Thread_local float hidden[MOST][H], online[MOST], frozen[MOST], scratch[H];
    float gradient[NUM], mean[NUM] = {0}, square[NUM] = {0};
    uint32_t order[MOST];
    double decay_1 = 1, decay_2 = 1;
    int64_t n = p->num_samples;
    for (int64_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
        frozen[i] = forward(theta, p->inputs + 2 * i, scratch);
    }
    for (int64_t t = 1; t <= p->num_updates; t++) {
        for (int64_t i = 0; p->batch_size < n && i < p->batch_size; i++) {
            int64_t j = i + (int64_t)(rng->next_double(rng->state) * (double)(n - i));
            uint32_t swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        for (int64_t i = 0; i < p->batch_size; i++)
            online[order[i]] = forward(theta, p->inputs + 2 * order[i], hidden[i]);
        memset(gradient, 0, sizeof gradient);
        for (int64_t i = 0; i < p->batch_size; i++) {
            uint32_t k = order[i];
            const float *next = (p->period ? frozen : online) + p->successors[k];
            float best = next[0];
            for (int64_t a = 1; a < p->num_actions; a++)
                if (next[a] > best) best = next[a];
            float error = online[k] - p->rewards[k] - p->weights[k] * best;
            backward(theta, p->inputs + 2 * k, hidden[i], error / (float)p->batch_size, gradient);
        }
        if (p->adam) {
            decay_1 *= 0.9;
            decay_2 *= 0.999;
            float step = (float)(p->alpha / (1 - decay_1));
            float correction = (float)(1 / sqrt(1 - decay_2));
            for (int j = 0; j < NUM; j++) {
                mean[j] += 0.1f * (gradient[j] - mean[j]);
                square[j] += 0.001f * (gradient[j] * gradient[j] - square[j]);
                theta[j] -= step * mean[j] / (correction * sqrtf(square[j]) + 1e-8f);
            }
        } else {
            for (int j = 0; j < NUM; j++) theta[j] -= (float)p->alpha * gradient[j];
        }
        if (p->period && t % p->period == 0)
            for (int64_t i = 0; i < n; i++)
                frozen[i] = forward(theta, p->inputs + 2 * i, scratch);
    }
}
