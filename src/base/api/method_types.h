#pragma once

// The message types of each method, for code that is written once for all of them: RequestOf<kMethod> and
// ResponseOf<kMethod>. Apart from method.h, which needs no message to be complete.

#include "api/messages.h"
#include "api/method.h"
#include "api/operator_messages.h"

namespace holdfast::api {

template <Method kMethod>
struct MethodTypes;

#define HOLDFAST_METHOD(name)            \
  template <>                            \
  struct MethodTypes<Method::k##name> {  \
    using Request = ws::name##Request;   \
    using Response = ws::name##Response; \
  };
HOLDFAST_WORKFLOW_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD

#define HOLDFAST_METHOD(name)             \
  template <>                             \
  struct MethodTypes<Method::k##name> {   \
    using Request = ops::name##Request;   \
    using Response = ops::name##Response; \
  };
HOLDFAST_OPERATOR_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD

template <Method kMethod>
using RequestOf = typename MethodTypes<kMethod>::Request;
template <Method kMethod>
using ResponseOf = typename MethodTypes<kMethod>::Response;

}  // namespace holdfast::api
