;; loop:
;;   addi a0, a0, 1
;;   andi a1, a0, 3
;;   beqz a1, other
;;   xor a2, a2, a0
;;   j join
;; other:
;;   sub a2, a2, a0
;; join:
;;   rol a3, a2, a0
;;   j loop
  (func (;20;) (type 0) (param i64 i32 i32 i32) (result i32)
    (local i64 i32 i32 i32 i32 i64 i64 f64 i64 i32 i64 i64 i64 i64)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            block  ;; label = @5
              block  ;; label = @6
                block  ;; label = @7
                  block  ;; label = @8
                    block  ;; label = @9
                      block  ;; label = @10
                        block  ;; label = @11
                          block  ;; label = @12
                            block  ;; label = @13
                              block  ;; label = @14
                                i32.const 0
                                i32.load offset=263416
                                local.set 7
                                i32.const 0
                                i64.load offset=262224
                                local.set 14
                                i32.const 0
                                i64.load offset=262232
                                local.set 15
                                i32.const 0
                                i64.load offset=262240
                                local.set 16
                                i32.const 0
                                i64.load offset=262248
                                local.set 17
                                loop  ;; label = @15
                                  i32.const 0
                                  local.set 6
                                  local.get 2
                                  i32.const 0
                                  i32.le_s
                                  br_if 4 (;@11;)
                                  block  ;; label = @16
                                    block  ;; label = @17
                                      block  ;; label = @18
                                        local.get 14
                                        i64.const 1
                                        i64.add
                                        local.set 14
                                        local.get 14
                                        i64.const 3
                                        i64.and
                                        local.set 15
                                        local.get 2
                                        i32.const 3
                                        i32.sub
                                        local.set 2
                                        local.get 15
                                        i64.eqz
                                        br_if 1 (;@17;)
                                        br 0 (;@18;)
                                      end
                                      local.get 16
                                      local.get 14
                                      i64.xor
                                      local.set 16
                                      local.get 2
                                      i32.const 2
                                      i32.sub
                                      local.set 2
                                      br 1 (;@16;)
                                    end
                                    local.get 16
                                    local.get 14
                                    i64.sub
                                    local.set 16
                                    local.get 2
                                    i32.const 1
                                    i32.sub
                                    local.set 2
                                    br 0 (;@16;)
                                  end
                                  local.get 16
                                  local.get 14
                                  i64.rotl
                                  local.set 17
                                  local.get 2
                                  i32.const 2
                                  i32.sub
                                  local.set 2
                                  br 0 (;@15;)
                                end
                                unreachable
                              end
                              local.get 2
                              local.get 6
                              i32.const 12
                              i32.shr_u
                              i32.sub
                              local.set 2
                              local.get 0
                              local.get 6
                              i32.const 4095
                              i32.and
                              i64.extend_i32_u
                              i64.add
                              local.set 9
                              i32.const 0
                              local.set 13
                              br 11 (;@2;)
                            end
                            local.get 2
                            local.get 6
                            i32.const 12
                            i32.shr_u
                            i32.sub
                            local.set 2
                            local.get 0
                            local.get 6
                            i32.const 4095
                            i32.and
                            i64.extend_i32_u
                            i64.add
                            local.set 9
                            i32.const 0
                            local.set 13
                            br 10 (;@2;)
                          end
                          local.get 2
                          local.get 6
                          i32.const 12
                          i32.shr_u
                          i32.sub
                          local.set 2
                          local.get 0
                          local.get 6
                          i32.const 4095
                          i32.and
                          i64.extend_i32_u
                          i64.add
                          local.set 9
                          i32.const 0
                          local.set 13
                          br 9 (;@2;)
                        end
                        local.get 2
                        local.get 6
                        i32.const 12
                        i32.shr_u
                        i32.sub
                        local.set 2
                        local.get 0
                        local.get 6
                        i32.const 4095
                        i32.and
                        i64.extend_i32_u
                        i64.add
                        local.set 9
                        i32.const 0
                        local.set 13
                        i32.const 0
                        local.get 14
                        i64.store offset=262224
                        i32.const 0
                        local.get 15
                        i64.store offset=262232
                        i32.const 0
                        local.get 16
                        i64.store offset=262240
                        i32.const 0
                        local.get 17
                        i64.store offset=262248
                        br 8 (;@2;)
                      end
                      br 7 (;@2;)
                    end
                    br 6 (;@2;)
                  end
                  br 5 (;@2;)
                end
                i32.const 0
                local.get 14
                i64.store offset=262224
                i32.const 0
                local.get 15
                i64.store offset=262232
                i32.const 0
                local.get 16
                i64.store offset=262240
                i32.const 0
                local.get 17
                i64.store offset=262248
                br 4 (;@2;)
              end
              br 4 (;@1;)
            end
            br 3 (;@1;)
          end
          br 2 (;@1;)
        end
        i32.const 0
        local.get 14
        i64.store offset=262224
        i32.const 0
        local.get 15
        i64.store offset=262232
        i32.const 0
        local.get 16
        i64.store offset=262240
        i32.const 0
        local.get 17
        i64.store offset=262248
        br 1 (;@1;)
      end
      i32.const 0
      local.get 13
      i32.store offset=263432
      i32.const 0
      local.get 9
      i64.store offset=262408
      local.get 2
      return
    end
    local.get 9
    i64.const 8
    i64.shr_u
    i32.wrap_i64
    i32.const 16368
    i32.and
    i32.const 0
    i32.load offset=263420
    i32.add
    local.tee 5
    i64.load
    local.get 9
    i64.const -4096
    i64.and
    local.tee 4
    i64.ne
    if  ;; label = @1
      i32.const 0
      local.get 13
      i32.store offset=263432
      i32.const 0
      local.get 9
      i64.store offset=262408
      local.get 2
      return
    end
    local.get 5
    i32.load offset=8
    local.set 5
    local.get 5
    local.get 9
    i32.wrap_i64
    i32.const 4094
    i32.and
    i32.const 3
    i32.shl
    i32.add
    i32.load16_u
    local.tee 6
    i32.const 32768
    i32.lt_u
    local.get 2
    i32.const 0
    i32.le_s
    i32.or
    if  ;; label = @1
      i32.const 0
      local.get 13
      i32.store offset=263432
      i32.const 0
      local.get 9
      i64.store offset=262408
      local.get 2
      return
    end
    local.get 4
    local.get 5
    local.get 2
    local.get 3
    local.get 6
    i32.const -32752
    i32.add
    return_call_indirect (type 0))
