"""The Scheme that configurations are written in: text -> data -> core forms -> Python bytecode."""
