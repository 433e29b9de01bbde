#pragma once

// What a call of gRPC needs: the permission of its method, and the namespaces in which. A method without one
// does not compile. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "api/method.h"
#include "holdfast/status.h"
#include "identity/roles.h"

namespace holdfast::rpc {

identity::Permission permission_of(api::Method method);

// Asks `check` for every namespace that the request names, at its top and within: what it is for, what a
// multi- operation does, what commands of a workflow reach out to. One that should name a namespace and does
// not is for every namespace. The first refusal is the answer.
using Check = std::function<Status(std::string_view namespace_name, identity::Permission permission)>;
Status check_call(api::Method method, const google::protobuf::Message& request, const Check& check);

}  // namespace holdfast::rpc
