// An LSTM whose matrix products run in 8 bits: the layers of one direction of a torch.nn.LSTM, in one call.
//
// States lie within -1 and 1, so that they have a fixed scale, 1/127; each token of the input has its own, and so
// has each channel of the weights. A byte b stands for b - 128, since the instructions multiply unsigned with
// signed bytes; what the 128 add is the same for every step, and taken off in `bias`, or for the input, whose scale
// differs, in `nought`.
//
// One call of a small batch waits for weights, so each thread reads its own part of them, which then stays in its
// core's cache: it has some blocks of units, with all their gates, and waits once a step for what the others found.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

constexpr int UNITS = 16, GATES = 4, BLOCK = GATES * UNITS;  // a block: 16 units, their gates i, f, g, o in turn
constexpr int ROWS = 4;       // rows that share what is read of the weights
constexpr int AT_ONCE = 64;   // rows whose input is multiplied at once, ahead of their steps
constexpr int SPINS = 20000;  // then a thread that waits lets others have its core

struct Layer {
  int32_t depth;  // numbers of its input, padded to a multiple of eight
  const int8_t *from_input, *from_state;  // [blocks][depth / 4][GATES][UNITS][4]
  const float *input_scale, *state_scale, *bias;  // [blocks][GATES][UNITS]
  const int32_t* nought;  // [blocks][GATES][UNITS]: what an input of nothing but noughts sums up to
};

// 16 sums of products: `Four` are four bytes of a row, `Weights` four of each of 16 channels.
#if defined(__AVX512VNNI__)
struct Four {
  __m512i bytes;
  explicit Four(const uint8_t* from) {
    int32_t four;
    std::memcpy(&four, from, 4);
    bytes = _mm512_set1_epi32(four);
  }
};
struct Weights {
  __m512i own;
  explicit Weights(const int8_t* from) : own(_mm512_loadu_si512(from)) {}
};
struct Sums {
  __m512i sums = _mm512_setzero_si512();
  void add(const Four& row, const Weights& weights) { sums = _mm512_dpbusd_epi32(sums, row.bytes, weights.own); }
  void store(int32_t* to) const { _mm512_storeu_si512(to, sums); }
};
#elif defined(__AVX2__)
struct Four {
  __m256i bytes;
  explicit Four(const uint8_t* from) {
    int32_t four;
    std::memcpy(&four, from, 4);
    bytes = _mm256_set1_epi32(four);
  }
};
struct Weights {
  __m256i halves[2];
  explicit Weights(const int8_t* from) {
    for (int half = 0; half < 2; half++)
      halves[half] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * half));
  }
};
struct Sums {
  __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  void add(const Four& four, const Weights& weights) {
    const __m256i row = four.bytes;
    for (int half = 0; half < 2; half++) {
      const __m256i own = weights.halves[half];
#if defined(__AVXVNNI__)
      sums[half] = _mm256_dpbusd_avx_epi32(sums[half], row, own);
#else  // in 16 bits, since the instruction that multiplies bytes cuts sums off at 32,767
      const __m256i even = _mm256_madd_epi16(_mm256_and_si256(row, _mm256_set1_epi16(255)),
                                             _mm256_srai_epi16(_mm256_slli_epi16(own, 8), 8));
      const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(row, 8), _mm256_srai_epi16(own, 8));
      sums[half] = _mm256_add_epi32(sums[half], _mm256_add_epi32(even, odd));
#endif
    }
  }
  void store(int32_t* to) const {
    for (int half = 0; half < 2; half++) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8 * half), sums[half]);
  }
};
#else
struct Four {
  const uint8_t* bytes;
  explicit Four(const uint8_t* from) : bytes(from) {}
};
struct Weights {
  const int8_t* own;
  explicit Weights(const int8_t* from) : own(from) {}
};
struct Sums {
  int32_t sums[UNITS] = {};
  void add(const Four& row, const Weights& weights) {
    for (int unit = 0; unit < UNITS; unit++)
      for (int k = 0; k < 4; k++) sums[unit] += int32_t(row.bytes[k]) * weights.own[4 * unit + k];
  }
  void store(int32_t* to) const { std::memcpy(to, sums, sizeof sums); }
};
#endif

// Of some rows with the weights of a block: out [rows][GATES][UNITS].
template <int rows>
static void products(const uint8_t* bytes, const int8_t* weights, int depth, int32_t* out) {
  constexpr int PARTS = rows > 1 ? 1 : 2;  // of one row, so that no sum waits for the one before
  Sums sums[PARTS][rows][GATES];
  for (int k = 0; k < depth; k += 4 * PARTS)
    for (int part = 0; part < PARTS; part++)
      for (int gate = 0; gate < GATES; gate++) {
        const Weights own(weights + (k + 4 * part) * BLOCK + 4 * gate * UNITS);
        for (int row = 0; row < rows; row++)
          sums[part][row][gate].add(Four(bytes + row * depth + k + 4 * part), own);
      }
  for (int part = 0; part < PARTS; part++)
    for (int row = 0; row < rows; row++)
      for (int gate = 0; gate < GATES; gate++)
        sums[part][row][gate].store(out + (part * rows + row) * BLOCK + gate * UNITS);
  for (int i = 0; i < (PARTS - 1) * BLOCK; i++) out[i] += out[BLOCK + i];
}
static int products_of(int left, const uint8_t* bytes, const int8_t* weights, int depth, int32_t* out) {
  if (left < ROWS) return products<1>(bytes, weights, depth, out), 1;
  return products<ROWS>(bytes, weights, depth, out), ROWS;
}

// As std::exp to 3 in 10 million, in operations that a compiler puts side by side (Cephes, 1992).
static inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
  const float n = std::nearbyint(x * 1.44269504f);
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (int32_t(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  return p * power;
}
static inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
static inline float hyperbolic_tangent(float x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }
static inline uint8_t byte_of(float value, float scale) {
  const float step = std::nearbyint(value * scale);
  return uint8_t(int32_t(step < -127.0f ? -127.0f : step > 127.0f ? 127.0f : step) + 128);
}

// One step of a block of one row, from what the input gives its gates and the products with the state before.
static void step(const float* __restrict gates, const int32_t* __restrict sums, const float* __restrict scale,
                 float* __restrict cell, float* __restrict state, uint8_t* __restrict byte) {
  for (int unit = 0; unit < UNITS; unit++) {
    float in[GATES];
    for (int gate = 0; gate < GATES; gate++)
      in[gate] = gates[gate * UNITS + unit] + float(sums[gate * UNITS + unit]) * scale[gate * UNITS + unit];
    cell[unit] = sigmoid(in[1]) * cell[unit] + sigmoid(in[0]) * hyperbolic_tangent(in[2]);
    state[unit] = sigmoid(in[3]) * hyperbolic_tangent(cell[unit]);
  }
  for (int unit = 0; unit < UNITS; unit++) byte[unit] = byte_of(state[unit], 127.0f);
}

// All threads of a call wait here for each other: each says on a line of the cache of its own how often it came.
struct Meeting {
  struct alignas(64) Place {
    std::atomic<int64_t> came{0};
  };
  std::vector<Place> places;
  explicit Meeting(int threads) : places(threads) {}
  void wait(int me, int threads, int64_t& turn) {
    places[me].came.store(++turn, std::memory_order_release);
    for (int other = 0; other < threads; other++)
      for (int spins = 0; places[other].came.load(std::memory_order_acquire) < turn; spins++)
        if (spins > SPINS) std::this_thread::yield();
  }
};

// input [length][batch][wide], output [length][batch][units]; hidden and cells [layers][batch][units] hold the
// states before, and then those after. `units` is a multiple of UNITS.
extern "C" void int8_lstm(int32_t threads, int32_t layers, const Layer* layer, int32_t units, int32_t batch,
                          int32_t length, int32_t wide, const float* input, float* output, float* hidden,
                          float* cells) {
  const int blocks = units / UNITS, rows = length * batch, depth = layer[0].depth;
  std::unique_ptr<uint8_t[]> first_bytes(new uint8_t[size_t(rows) * depth]);
  std::unique_ptr<float[]> worth(new float[rows]);  // of a byte's step
  for (int row = 0; row < rows; row++) {
    const float* own = input + size_t(row) * wide;
    uint8_t* __restrict bytes = &first_bytes[size_t(row) * depth];
    int32_t most = 1;  // of floats without their sign the largest has the largest bits
    for (int k = 0; k < wide; k++) {
      int32_t bits;
      std::memcpy(&bits, own + k, 4);
      most = std::max(most, bits & 0x7fffffff);
    }
    float largest;
    std::memcpy(&largest, &most, 4);
    worth[row] = std::max(largest, 1e-30f) / 127.0f;
    const float scale = 1.0f / worth[row];
    for (int k = 0; k < wide; k++) bytes[k] = byte_of(own[k], scale);
    std::memset(bytes + wide, 128, depth - wide);
  }
  // Of each layer the states as bytes, those before the first step ahead of them; and what the input gives each
  // gate of some steps.
  std::unique_ptr<uint8_t[]> states(new uint8_t[size_t(layers) * (rows + batch) * units]);
  const int steps = std::min(length, std::max(1, AT_ONCE / batch));
  std::unique_ptr<float[]> gates(new float[size_t(steps) * batch * units * GATES]);
  Meeting meeting(threads);

  auto work = [&](int me, int threads) {
    int64_t turn = 0;
    const int first = blocks * me / threads, end = blocks * (me + 1) / threads;
    alignas(64) int32_t out[ROWS * BLOCK];
    std::unique_ptr<int32_t[]> sums(new int32_t[(size_t(end - first) * batch + 1) * BLOCK]);
    for (int l = 0; l < layers; l++) {
      const Layer& own = layer[l];
      uint8_t* after = states.get() + size_t(l) * (rows + batch) * units;
      const uint8_t* from = l ? after - size_t(rows) * units : first_bytes.get();
      auto from_inputs = [&](int row, int count) {  // what the input gives the gates of these rows
        for (int b = first; b < end; b++) {
          const float *scale = own.input_scale + b * BLOCK, *bias = own.bias + b * BLOCK;
          const int32_t* nought = own.nought + b * BLOCK;
          const int8_t* weights = own.from_input + size_t(b) * own.depth * BLOCK;
          for (int at = 0, many; at < count; at += many) {
            many = products_of(count - at, from + size_t(row + at) * own.depth, weights, own.depth, out);
            for (int r = 0; r < many; r++) {
              float* __restrict to = &gates[(size_t(at + r) * blocks + b) * BLOCK];
              const float step_worth = l ? 1.0f / 127.0f : worth[row + at + r];
              for (int i = 0; i < BLOCK; i++)
                to[i] = float(out[r * BLOCK + i] - nought[i]) * (scale[i] * step_worth) + bias[i];
            }
          }
        }
      };
      float *cell = cells + size_t(l) * batch * units, *last = hidden + size_t(l) * batch * units;
      for (int n = 0; n < batch; n++)
        for (int unit = first * UNITS; unit < end * UNITS; unit++)
          after[n * units + unit] = byte_of(last[n * units + unit], 127.0f);
      meeting.wait(me, threads, turn);
      for (int t = 0; t < length; t++) {
        const uint8_t* before = after;
        after += size_t(batch) * units;
        if (t % steps == 0) from_inputs(t * batch, std::min(steps, length - t) * batch);
        for (int b = first; b < end; b++)
          for (int n = 0; n < batch;)
            n += products_of(batch - n, before + size_t(n) * units, own.from_state + size_t(b) * units * BLOCK,
                             units, sums.get() + (size_t(b - first) * batch + n) * BLOCK);
        for (int b = first; b < end; b++)
          for (int n = 0; n < batch; n++) {
            const size_t at = size_t(n) * units + b * UNITS;
            float state[UNITS];
            step(&gates[(size_t(t % steps * batch + n) * blocks + b) * BLOCK],
                 sums.get() + (size_t(b - first) * batch + n) * BLOCK, own.state_scale + b * BLOCK, cell + at,
                 state, after + at);
            if (l == layers - 1) std::memcpy(output + size_t(t) * batch * units + at, state, sizeof state);
            if (t == length - 1) std::memcpy(last + at, state, sizeof state);
          }
        meeting.wait(me, threads, turn);
      }
    }
  };
#pragma omp parallel num_threads(threads)
  work(omp_get_thread_num(), omp_get_num_threads());
}
