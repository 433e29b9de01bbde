#pragma once

// The identity providers of a server, in a file:
//
//   apiVersion: holdfast.dev/v1
//   kind: IdentityProviders
//   providers:
//     - name: corp
//       label: Corp
//       issuer: https://id.example.com
//       client_id: holdfast
//       client_secret_env: secret:OIDC_CLIENT   # or a variable; or client_secret_file: PATH; or neither
//
// Pure but for what `secret_of` does later. INVALID_ARGUMENT names every mistake with its place.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "oidc/provider.h"

namespace holdfast::app {

// Where a client's secret is; one of them is not empty.
struct ClientSecret {
  std::string variable;  // or secret:NAME
  std::string file;      // relative: to the folder of the file that names it
};
using SecretOf = std::function<Result<std::string>(const ClientSecret& secret)>;

// `source` names the file in errors.
Result<std::vector<oidc::ProviderSettings>> parse_oidc_file(std::string_view text, std::string_view source,
                                                            const SecretOf& secret_of);

}  // namespace holdfast::app
