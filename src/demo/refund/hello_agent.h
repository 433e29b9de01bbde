#pragma once

// `hello`, the agent of `holdfast dev` that answers whatever it is told, so that every client can be tried
// without a key; and the one script by which it and the refund agent speak. Pure.

#include <string>

namespace holdfast::demo {

// `model_url`: of the scripted model, up to /v1.
std::string hello_agent(const std::string& model_url);
std::string dev_script();

}  // namespace holdfast::demo
