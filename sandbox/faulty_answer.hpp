#pragma once
// Turning an honest answer into the fault that was asked for.

#include "sandbox/fault.hpp"
#include "sandbox/http_server.hpp"
#include "sandbox/rpc.hpp"

namespace sg::sandbox {

/// True where the client gets at least a part of the honest answer, so that the request must be
/// carried out.
bool answers_with_data(FaultKind kind) noexcept;

/// Makes `answer`, which holds the honest body (or none), what `fault` says.
void spoil(HttpAnswer& answer, const Fault& fault, const RpcCall& call);

}  // namespace sg::sandbox
