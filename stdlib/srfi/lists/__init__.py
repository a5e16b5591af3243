"""SRFI 1's list procedures by theme; (srfi srfi-1) is all of them."""
