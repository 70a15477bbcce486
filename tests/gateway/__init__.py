"""Tests of the gateway: real sockets, real servers, real journals."""
