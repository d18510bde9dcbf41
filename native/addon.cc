// The export table: every native operation, by concern. lib/native/addon.ts holds the same table for TypeScript.
#include "activations.h"
#include "args.h"
#include "cross_entropy.h"
#include "eigen.h"
#include "entrywise.h"
#include "factorisations.h"
#include "images.h"
#include "normalisation.h"
#include "products.h"
#include "random.h"
#include "rows.h"
#include "signs.h"
#include "system.h"

namespace layerwise {

template <typename Op>
void float_or_double(Napi::Env env, Napi::Object exports) {
  exports.Set(Op::name, Napi::Function::New<typed<Op>>(env, Op::name));
}

template <typename Op>
void single(Napi::Env env, Napi::Object exports) {
  exports.Set(Op::name, Napi::Function::New<plain<Op>>(env, Op::name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance());

  float_or_double<Gemm>(env, exports);
  float_or_double<Syrk>(env, exports);
  float_or_double<Symm>(env, exports);
  float_or_double<Trsm>(env, exports);
  float_or_double<Gemv>(env, exports);
  float_or_double<Dot>(env, exports);
  float_or_double<Nrm2>(env, exports);

  float_or_double<Potrf>(env, exports);
  float_or_double<Potrs>(env, exports);
  float_or_double<DampedSolve>(env, exports);
  float_or_double<FactorAbove>(env, exports);
  float_or_double<MirrorLower>(env, exports);
  float_or_double<Getrf>(env, exports);
  float_or_double<Getrs>(env, exports);
  float_or_double<Qr>(env, exports);
  float_or_double<OrthonormalColumns>(env, exports);
  float_or_double<Gesdd>(env, exports);
  float_or_double<Gelsd>(env, exports);
  float_or_double<Syevd>(env, exports);
  float_or_double<Syevr>(env, exports);

  single<Philox>(env, exports);
  float_or_double<Uniform>(env, exports);
  float_or_double<Normal>(env, exports);
  float_or_double<Rademacher>(env, exports);
  single<Signs>(env, exports);
  single<TransposeSigns>(env, exports);
  float_or_double<SignProduct>(env, exports);
  float_or_double<SignGram>(env, exports);

  float_or_double<Axpby>(env, exports);
  float_or_double<Scale>(env, exports);
  float_or_double<Hadamard>(env, exports);
  float_or_double<DivideEntries>(env, exports);
  float_or_double<Adam>(env, exports);
  float_or_double<SquaredLoss>(env, exports);

  float_or_double<Transpose>(env, exports);
  float_or_double<CopyBlock>(env, exports);
  float_or_double<BroadcastRow>(env, exports);
  float_or_double<ColumnSums>(env, exports);
  float_or_double<ScaleRows>(env, exports);
  float_or_double<ScaleColumns>(env, exports);
  float_or_double<DivideByOuterSum>(env, exports);
  float_or_double<AffineRows>(env, exports);

  float_or_double<Activation>(env, exports);
  float_or_double<Softmax>(env, exports);
  float_or_double<SoftmaxCrossEntropy>(env, exports);
  float_or_double<LogisticLoss>(env, exports);
  float_or_double<BatchNormForward>(env, exports);
  float_or_double<BatchNormBackward>(env, exports);
  float_or_double<LayerNormForward>(env, exports);
  float_or_double<LayerNormBackward>(env, exports);

  float_or_double<Unfold>(env, exports);
  float_or_double<Fold>(env, exports);
  float_or_double<MaxPool>(env, exports);
  float_or_double<MaxPoolBackward>(env, exports);
  float_or_double<AveragePool>(env, exports);
  float_or_double<AveragePoolBackward>(env, exports);

  single<SystemInfo>(env, exports);
  single<SetThreads>(env, exports);
  single<EndWithParent>(env, exports);
  return exports;
}

}  // namespace layerwise

using layerwise::init;  // the macro wants an unqualified name
NODE_API_MODULE(layerwise, init)
